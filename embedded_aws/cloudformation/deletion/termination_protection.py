"""Termination protection of nested stacks, which ministack leaves out.

The choice of the root stack holds for its nested stacks, and only the root's can be changed. CloudFormation itself still deletes a
nested stack that an update or a rollback removes.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
"""

from typing import Any

from embedded_aws.bridge import functions, tables

_OK = 200
_FLAG = "EnableTerminationProtection"


def install() -> None:
    """Pass the choice of a root stack on to its nested stacks."""
    update = tables.ACTIONS["UpdateTerminationProtection"]

    def update_family(parameters: Any) -> Any:
        stack = functions.resolve_stack(parameters.get("StackName", [""])[0])
        if stack and "RootId" in stack:
            # The documentation says that the call is refused, and not in which words.
            return functions.stack_error(
                "ValidationError",
                f"Termination protection of the nested stack [{stack['StackId']}] can only be changed on its root stack",
            )
        result = update(parameters)
        if result[0] == _OK:
            for nested in tables.STACKS.values():
                if nested.get("RootId") == stack["StackId"]:
                    nested[_FLAG] = stack[_FLAG]
        return result

    tables.ACTIONS["UpdateTerminationProtection"] = update_family


def inherit(parent: dict[str, Any], child: dict[str, Any]) -> None:
    """Give a new nested stack the choice of its parent."""
    child[_FLAG] = bool(parent.get(_FLAG))


def release(child: dict[str, Any]) -> None:
    """Let CloudFormation delete a nested stack as a part of an operation of its parent."""
    child[_FLAG] = False
