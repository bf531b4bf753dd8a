"""Refuse a template with IAM resources that the request does not acknowledge.

CreateStack needs CAPABILITY_IAM or CAPABILITY_NAMED_IAM; ministack asks for it under AUTH=true only.
"""

from ministack.services.cloudformation import handlers


def install() -> None:
    """Check capabilities always."""
    handlers._capabilities_enforced = lambda: True
