"""An operation on a provisioned product as it happens: its record, and the events of its stacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.aws import Aws, aws_errors, code_of
from pipeline.stacks.events import LONGEST_WAIT, SHORTEST_WAIT, Failure, Operation
from pipeline.stacks.reading import read_stack

Report = Callable[[Operation], None]
Note = Callable[[str], None]
RUNNING = frozenset({"CREATED", "IN_PROGRESS", "IN_PROGRESS_IN_ERROR"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True)
class Outcome:
    """How an operation ended: its record, and the first failed resource of each of its stacks."""

    record: Mapping[str, Any]
    failures: tuple[Failure, ...]

    @property
    def succeeded(self) -> bool:
        """Whether what was asked for is so."""
        return bool(self.record["Status"] == "SUCCEEDED")


@dataclass
class Followed:
    """A record and, once there is one that may be read, the operation of its stack; ``stack`` is its name or ARN."""

    aws: Aws
    record: Mapping[str, Any]
    stack: str
    operation: Operation | None = None
    is_readable: bool = True

    def look(self) -> bool:
        """Read what has happened meanwhile; returns whether the stacks told anything. Raises what botocore does."""
        # The record is read first: whatever led to its status is in the events read after it.
        self.record = read(self.aws, self.record["RecordId"])
        if self.is_readable and self.operation is None:
            found = read_stack(self.aws, self.stack)
            if found:
                name = self.record["ProvisionedProductName"]
                # What the stack did before is no part of it.
                since = self.record["CreatedTime"]
                self.operation = Operation(self.aws, found["StackId"], since, name)
        return self.is_readable and self.operation is not None and self.operation.look()


def follow(
    aws: Aws, record: Mapping[str, Any], stack_id: str, report: Report, note: Note
) -> Outcome:
    """Wait for an operation to end, reporting what its stacks do.

    ``stack_id`` is the stack's ARN, or empty where there is none yet. Whoever may use the product, but not read its
    stacks, is told so once and waits for the record alone.
    """
    from botocore.exceptions import ClientError

    followed = Followed(aws, record, stack_id or stack_name(aws, record["ProvisionedProductId"]))
    wait = SHORTEST_WAIT
    while True:
        changed = False
        with aws_errors(f"follow {record['ProvisionedProductName']}"):
            try:
                changed = followed.look()
            except ClientError as error:
                if code_of(error) not in _DENIED or not followed.is_readable:
                    raise
                followed.is_readable = False
                note("These credentials may not read the stack; only the result will be shown.")
        operation, is_over = followed.operation, followed.record["Status"] not in RUNNING
        if operation and (changed or is_over):
            report(operation)
        if is_over:
            return Outcome(followed.record, tuple(operation.failures()) if operation else ())
        wait = SHORTEST_WAIT if changed else min(wait * 1.5, LONGEST_WAIT)
        time.sleep(wait)


def stack_name(aws: Aws, provisioned_product_id: str) -> str:
    """The name that Service Catalog gives to the stack of a provisioned product, whose ID begins with pp-."""
    return f"SC-{aws.account()}-{provisioned_product_id}"


def read(aws: Aws, record_id: str) -> Mapping[str, Any]:
    """A record. Raises what botocore does."""
    record: Mapping[str, Any] = aws.client("servicecatalog").describe_record(Id=record_id)[
        "RecordDetail"
    ]
    return record


def errors_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """What Service Catalog says of a failure."""
    return tuple(
        f"{error.get('Description', 'no reason given').rstrip('.')} ({error.get('Code', 'no code')})."
        for error in record.get("RecordErrors", [])
    )
