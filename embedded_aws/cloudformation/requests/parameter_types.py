"""Parameters of a request: each must be declared, and a value of an AWS-specific type must exist.

ministack drops unknown parameters and treats typed ones as strings. CloudFormation checks both before it creates anything, so
a wrong subnet ID is a refused request and not a failed stack.
"""

import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ssm

from embedded_aws.bridge import functions, tables
from embedded_aws.schemas.zones import zones_of

_SSM_VALUE = re.compile(r"^AWS::SSM::Parameter::Value<(.+)>$")
_LIST = re.compile(r"^List<(.+)>$")


def install() -> None:
    """Check parameters wherever CloudFormation resolves them."""
    resolve = functions.resolve_parameters.current

    def resolve_and_check(template: Any, provided: Any, *rest: Any, **named: Any) -> Any:
        _refuse_unknown(template, provided)
        resolved = resolve(template, provided, *rest, **named)
        for name, declaration in (template.get("Parameters") or {}).items():
            _check(name, declaration, str(resolved[name]["Value"]))
        return resolved

    functions.resolve_parameters.replace(resolve_and_check)


def _refuse_unknown(template: Any, provided: list[dict[str, Any]]) -> None:
    given = {str(each["Key"]) for each in provided if "Key" in each}
    unknown = sorted(given - (template.get("Parameters") or {}).keys())
    if unknown:
        # CloudFormation's message.
        raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")


def _check(name: str, declaration: dict[str, Any], value: str) -> None:
    kind = str(declaration.get("Type", "String"))
    wrapped = _SSM_VALUE.match(kind)
    inner = wrapped[1] if wrapped else kind
    members = _LIST.match(inner)
    exists = _EXISTENCE.get(members[1] if members else inner)
    if exists is None:
        return
    for member in value.split(",") if members else [value]:
        if not exists(member.strip()):
            # CloudFormation's message.
            raise ValueError(
                f"Parameter validation failed: parameter value {member.strip()} for parameter name"
                f" {name} does not exist"
            )


def _in_ec2(records: tables.Table) -> Callable[[str], bool]:
    def exists(value: str) -> bool:
        functions.create_default_network()
        return value in records

    return exists


def _is_group_name(value: str) -> bool:
    functions.create_default_network()
    return any(group["GroupName"] == value for group in tables.SECURITY_GROUPS.values())


def _is_zone(value: str) -> bool:
    return value in zones_of(get_region())


def _is_image(value: str) -> bool:
    # Images are not emulated: only the form of the id is checked.
    return re.fullmatch(r"ami-[0-9a-f]{8,17}", value) is not None


_EXISTENCE: dict[str, Callable[[str], bool]] = {
    "AWS::EC2::AvailabilityZone::Name": _is_zone,
    "AWS::EC2::Image::Id": _is_image,
    "AWS::EC2::Instance::Id": _in_ec2(tables.INSTANCES),
    "AWS::EC2::KeyPair::KeyName": _in_ec2(tables.KEY_PAIRS),
    "AWS::EC2::SecurityGroup::GroupName": _is_group_name,
    "AWS::EC2::SecurityGroup::Id": _in_ec2(tables.SECURITY_GROUPS),
    "AWS::EC2::Subnet::Id": _in_ec2(tables.SUBNETS),
    "AWS::EC2::VPC::Id": _in_ec2(tables.VPCS),
    "AWS::EC2::Volume::Id": _in_ec2(tables.VOLUMES),
    "AWS::Route53::HostedZone::Id": lambda value: value in tables.HOSTED_ZONES,
    "AWS::SSM::Parameter::Name": lambda value: ssm.resolve_parameter_value(value) is not None,
}
