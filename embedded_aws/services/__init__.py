"""Service APIs that ministack lacks or implements in part."""
