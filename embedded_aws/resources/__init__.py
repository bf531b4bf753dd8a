"""Resource types that ministack's CloudFormation lacks or implements in part."""
