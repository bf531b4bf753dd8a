"""Functions in a VPC do not run, because the engines that they connect to do not exist here.

The databases and caches of the emulator are records, so a function that connects to one can only fail. A custom resource of
such a function gets the answer SUCCESS. With real databases (`--database`, `--database-host`), every database instance reports
its address and these functions run.
"""

import os
from typing import Any

from embedded_aws.bridge import functions
from embedded_aws.cloudformation.custom_resources import answer, is_request
from embedded_aws.settings import DATABASE_HOST_VARIABLE, DATABASE_VARIABLE

_NOT_RUN: dict[str, Any] = {"body": None, "error": False}


def install() -> None:
    """Do not run functions inside a VPC, unless a real database is connected."""
    if os.environ.get(DATABASE_VARIABLE) or os.environ.get(DATABASE_HOST_VARIABLE):
        return
    execute = functions.execute_function.current

    def execute_outside(function: Any, event: Any, *rest: Any, **named: Any) -> Any:
        if not _is_inside_vpc(function):
            return execute(function, event, *rest, **named)
        if is_request(event):
            known = event.get("PhysicalResourceId") or event["LogicalResourceId"]
            answer(event, {"Status": "SUCCESS", "PhysicalResourceId": known, "Data": {}})
        return dict(_NOT_RUN)

    functions.execute_function.replace(execute_outside)


def _is_inside_vpc(function: dict[str, Any]) -> bool:
    network = (function.get("config") or function).get("VpcConfig") or {}
    return bool(network.get("SubnetIds"))
