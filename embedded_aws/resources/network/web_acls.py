"""AWS WAF: associations of web ACLs, and their logging configurations."""

from embedded_aws.bridge.registry import Created, Properties, ignoring, no_update, register
from embedded_aws.bridge.service_calls import call

_LOG_SETTINGS = ("ResourceArn", "LogDestinationConfigs", "RedactedFields", "LoggingFilter")


def install() -> None:
    """Register the types of this module."""
    register(
        "AWS::WAFv2::WebACLAssociation",
        create=_associate,
        update=no_update(lambda _pid, _properties: {}),
        delete=_disassociate,
    )
    register(
        "AWS::WAFv2::LoggingConfiguration",
        create=_put_logging,
        update=_update_logging,
        delete=_delete_logging,
    )


def _associate(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    acl, resource = properties["WebACLArn"], properties["ResourceArn"]
    call("wafv2", "AssociateWebACL", WebACLArn=acl, ResourceArn=resource)
    return f"{resource}|{acl}", {}


def _disassociate(_physical_id: str, properties: Properties) -> None:
    call("wafv2", "DisassociateWebACL", ResourceArn=properties["ResourceArn"])


def _put_logging(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    settings = {name: properties[name] for name in _LOG_SETTINGS if name in properties}
    call("wafv2", "PutLoggingConfiguration", LoggingConfiguration=settings)
    return properties["ResourceArn"], {"ManagedByFirewallManager": "false"}


def _update_logging(
    _physical_id: str, _old: Properties, new: Properties, stack_name: str
) -> Created:
    return _put_logging("", new, stack_name)


def _delete_logging(physical_id: str, _properties: Properties) -> None:
    with ignoring("WAFNonexistentItemException"):
        call("wafv2", "DeleteLoggingConfiguration", ResourceArn=physical_id)
