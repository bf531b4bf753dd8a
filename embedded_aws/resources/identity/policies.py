"""IAM types: OpenID Connect providers, inline role policies, service-linked roles."""

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Created, Properties, ignoring, register
from embedded_aws.bridge.service_calls import as_json, call


def install() -> None:
    """Register the types of this module."""
    register(
        "AWS::IAM::OIDCProvider",
        create=_create_provider,
        update=_update_provider,
        delete=_delete_provider,
    )
    register(
        "AWS::IAM::RolePolicy",
        create=_put_role_policy,
        update=_update_role_policy,
        delete=_delete_role_policy,
    )
    register(
        "AWS::IAM::ServiceLinkedRole",
        create=_create_linked_role,
        update=_update_linked_role,
        delete=_delete_linked_role,
    )
    register(
        "AWS::SecretsManager::ResourcePolicy",
        create=_put_secret_policy,
        update=_update_secret_policy,
        delete=_delete_secret_policy,
    )


def _create_provider(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    arn = call(
        "iam",
        "CreateOpenIDConnectProvider",
        Url=properties["Url"],
        ClientIDList=properties.get("ClientIdList"),
        ThumbprintList=properties.get("ThumbprintList"),
        Tags=properties.get("Tags"),
    )["OpenIDConnectProviderArn"]
    return arn, {"Arn": arn}


def _update_provider(
    physical_id: str, _old: Properties, new: Properties, _stack_name: str
) -> Created:
    # On the record: ministack 1.5.33 has none of the actions that change a provider.
    record = tables.OIDC_PROVIDERS[physical_id]
    record["ClientIDList"] = list(new.get("ClientIdList") or [])
    record["ThumbprintList"] = list(new.get("ThumbprintList") or [])
    record["Tags"] = list(new.get("Tags") or [])
    return physical_id, {"Arn": physical_id}


def _delete_provider(physical_id: str, _properties: Properties) -> None:
    with ignoring("NoSuchEntity", "NoSuchEntityException"):
        call("iam", "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=physical_id)


def _put_role_policy(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    document = properties.get("PolicyDocument")
    if document is None:
        raise ValueError("Property PolicyDocument cannot be empty")
    call(
        "iam",
        "PutRolePolicy",
        RoleName=properties["RoleName"],
        PolicyName=properties["PolicyName"],
        PolicyDocument=as_json(document),
    )
    return f"{properties['PolicyName']}|{properties['RoleName']}", {}


def _update_role_policy(
    _physical_id: str, _old: Properties, new: Properties, stack_name: str
) -> Created:
    return _put_role_policy("", new, stack_name)


def _delete_role_policy(_physical_id: str, properties: Properties) -> None:
    with ignoring("NoSuchEntity", "NoSuchEntityException"):
        call(
            "iam",
            "DeleteRolePolicy",
            RoleName=properties["RoleName"],
            PolicyName=properties["PolicyName"],
        )


def _create_linked_role(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    role = call(
        "iam",
        "CreateServiceLinkedRole",
        AWSServiceName=properties["AWSServiceName"],
        Description=properties.get("Description"),
        CustomSuffix=properties.get("CustomSuffix"),
    )["Role"]["RoleName"]
    return role, {"RoleName": role}


def _update_linked_role(
    physical_id: str, _old: Properties, new: Properties, _stack_name: str
) -> Created:
    tables.ROLES[physical_id]["Description"] = new.get("Description", "")
    return physical_id, {"RoleName": physical_id}


def _delete_linked_role(physical_id: str, _properties: Properties) -> None:
    with ignoring("NoSuchEntity", "NoSuchEntityException"):
        call("iam", "DeleteServiceLinkedRole", RoleName=physical_id)


def _put_secret_policy(_logical_id: str, properties: Properties, _stack_name: str) -> Created:
    arn = call(
        "secretsmanager",
        "PutResourcePolicy",
        SecretId=properties["SecretId"],
        ResourcePolicy=as_json(properties["ResourcePolicy"]),
        BlockPublicPolicy=properties.get("BlockPublicPolicy"),
    )["ARN"]
    return arn, {"Id": arn}


def _update_secret_policy(
    _physical_id: str, _old: Properties, new: Properties, stack_name: str
) -> Created:
    return _put_secret_policy("", new, stack_name)


def _delete_secret_policy(_physical_id: str, properties: Properties) -> None:
    with ignoring("ResourceNotFoundException"):
        call("secretsmanager", "DeleteResourcePolicy", SecretId=properties["SecretId"])
