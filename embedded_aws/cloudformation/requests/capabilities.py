"""Refuse a template with IAM resources that the request does not acknowledge.

CreateStack requires CAPABILITY_IAM or CAPABILITY_NAMED_IAM; ministack checks it under AUTH=true only.
"""

from embedded_aws.bridge import functions


def install() -> None:
    """Check capabilities in every request."""
    functions.capabilities_enforced.replace(lambda: True)
