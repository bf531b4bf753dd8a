"""Refuse values that services refuse and no provider schema states: storage, lifecycle rules, task sizes.

The messages are those of the services, as far as reports quote them; each rule names its page.
"""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_aws.bridge import tables
from embedded_aws.bridge.registry import Properties
from embedded_aws.cloudformation.properties import hook

_DATABASE, _VOLUME = "AWS::RDS::DBInstance", "AWS::EC2::Volume"
_GIB = 1024
# Memory in MiB by CPU units: smallest, largest and step.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
_FARGATE: Mapping[int, tuple[int, ...]] = {
    256: (512, _GIB, 2 * _GIB),
    512: tuple(range(_GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
# From warm to cold: an object moves down only.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
_COLDER = (
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)


def install() -> None:
    """Check values before a resource is created or updated."""
    hook.add(_check)


def _check(operation: hook.Operation) -> Properties | None:
    refuse(operation.resource_type, operation.properties)
    if operation.old is None or operation.resource_type not in _STORAGE:
        return None
    assert operation.physical_id is not None  # noqa: S101 - an update has one
    return _STORAGE[operation.resource_type](
        operation.physical_id, operation.old, operation.properties, operation.rolls_back
    )


def refuse(resource_type: str, properties: Properties) -> None:
    """Raise ValueError for values that the service refuses, whatever the resource was before."""
    match resource_type:
        case "AWS::RDS::DBInstance":
            _refuse_low_ceiling(properties)
        case "AWS::S3::Bucket":
            for rule in (properties.get("LifecycleConfiguration") or {}).get("Rules") or []:
                _refuse_unordered_transitions(rule)
        case "AWS::ECS::TaskDefinition":
            _refuse_unknown_size(properties)


def _refuse_low_ceiling(properties: Properties) -> None:
    """RDS requires a maximum of storage autoscaling at least 10 % above the storage.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html
    """
    storage, ceiling = (
        int(properties.get(name) or 0) for name in ("AllocatedStorage", "MaxAllocatedStorage")
    )
    if storage and ceiling and ceiling * 10 < storage * 11:
        raise ValueError(
            "The maximum allocated storage must be increased by at least 10 percent."
            " (Service: Rds, Code: InvalidParameterCombination)"
        )


def _refuse_unordered_transitions(rule: Mapping[str, Any]) -> None:
    """S3 accepts the transitions of a rule from warm to cold, each at least a day after the previous one."""
    transitions = [
        (_COLDER.index(each["StorageClass"]), int(each["TransitionInDays"]))
        for each in rule.get("Transitions") or []
        if each.get("StorageClass") in _COLDER and "TransitionInDays" in each
    ]
    for (warm, early), (cold, late) in zip(
        sorted(transitions), sorted(transitions)[1:], strict=False
    ):
        if late <= early:
            raise ValueError(
                f"'Days' in the 'Transition' action for StorageClass '{_COLDER[cold]}' must be greater"
                f" than 'Days' in the 'Transition' action for StorageClass '{_COLDER[warm]}'"
                " (Service: S3, Code: InvalidArgument)"
            )


def _refuse_unknown_size(properties: Properties) -> None:
    """Fargate supports certain pairs of CPU and memory."""
    if "FARGATE" not in (properties.get("RequiresCompatibilities") or []):
        return
    cpu, memory = str(properties.get("Cpu", "")), str(properties.get("Memory", ""))
    if not (cpu.isdecimal() and memory.isdecimal()):
        return
    if int(memory) not in _FARGATE.get(int(cpu), ()):
        raise ValueError(
            f"Create TaskDefinition: No Fargate configuration exists for given values: {cpu} CPU,"
            f" {memory} memory. See the Amazon ECS documentation for the valid values."
            " (Service: AmazonECS, Code: ClientException)"
        )


def _database_storage(
    physical_id: str, old: Properties, new: Properties, rolls_back: bool
) -> Properties:
    """The properties of an update with the storage that CloudFormation's handler asks for.

    RDS neither shrinks storage nor grows it by less than 10 %. The handler asks for what the template says where that changes;
    where it does not, or in a rollback, for what the instance has if that is more.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.ScalingUp.html
    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds (Translator.modifyDbInstanceRequest)
    """
    present = int((tables.DATABASES.get(physical_id) or {}).get("AllocatedStorage") or 0)
    wanted = int(new.get("AllocatedStorage") or present)
    changed = str(new.get("AllocatedStorage")) != str(old.get("AllocatedStorage"))
    if rolls_back or not changed:
        return {**new, "AllocatedStorage": str(max(present, wanted))} if present else new
    if present and wanted < present:
        raise ValueError(
            f"Invalid storage size for engine name {new.get('Engine', 'postgres')} and storage type"
            f" {new.get('StorageType', 'gp2')}: {wanted} (Service: Rds, Code: InvalidParameterCombination)"
        )
    if present < wanted and wanted * 10 < present * 11:
        raise ValueError(
            "The allocated storage must be increased by at least 10 percent."
            " (Service: Rds, Code: InvalidParameterCombination)"
        )
    return new


def _volume_size(
    physical_id: str, _old: Properties, new: Properties, rolls_back: bool
) -> Properties:
    """The properties of an update of a volume, which cannot shrink; a rollback leaves it as it is.

    https://docs.aws.amazon.com/ebs/latest/userguide/modify-volume-requirements.html
    """
    present = int((tables.VOLUMES.get(physical_id) or {}).get("Size") or 0)
    wanted = int(new.get("Size") or present)
    if wanted < present and not rolls_back:
        raise ValueError(
            f"New size cannot be smaller than existing size ({wanted} GiB, {present} GiB)"
            " (Service: Ec2, Code: InvalidParameterValue)"
        )
    return {**new, "Size": max(present, wanted)} if present else new


_STORAGE: Mapping[str, Callable[[str, Properties, Properties, bool], Properties]] = {
    _DATABASE: _database_storage,
    _VOLUME: _volume_size,
}
