"""The resource types that ministack's CloudFormation does not have, one module a subject."""
