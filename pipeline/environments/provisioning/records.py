"""Follow an operation on a provisioned product: its record, and the events of its stacks."""

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
DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True)
class Outcome:
    """The result of an operation: its record, and the first failed resource of each of its stacks."""

    record: Mapping[str, Any]
    failures: tuple[Failure, ...]

    @property
    def succeeded(self) -> bool:
        """Whether the operation has succeeded."""
        return bool(self.record["Status"] == "SUCCEEDED")


@dataclass
class Followed:
    """A record and, once its stack is readable, the operation of the stack; ``stack`` is its name or ARN."""

    aws: Aws
    record: Mapping[str, Any]
    stack: str
    operation: Operation | None = None
    is_readable: bool = True

    def look(self) -> bool:
        """Read what has happened since the last call; returns whether the stacks had events. Raises the errors of botocore."""
        # The record is read first: the events that led to its status are in the events read after it.
        self.record = read_record(self.aws, self.record["RecordId"])
        if self.is_readable and self.operation is None:
            found = read_stack(self.aws, self.stack)
            if found:
                name = self.record["ProvisionedProductName"]
                # Earlier events of the stack do not belong to the operation.
                since = self.record["CreatedTime"]
                self.operation = Operation(self.aws, found["StackId"], since, name)
        return self.is_readable and self.operation is not None and self.operation.look()


def follow(
    aws: Aws, record: Mapping[str, Any], stack_id: str, report: Report, note: Note
) -> Outcome:
    """Wait for an operation to end, and report the events of its stacks.

    ``stack_id`` is the stack's ARN, or empty if the stack does not exist yet. For credentials that cannot read stacks, a note says
    so once, and only the record is followed.
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
                if code_of(error) not in DENIED or not followed.is_readable:
                    raise
                followed.is_readable = False
                note("These credentials cannot read the stack; only the result will be shown.")
        operation, is_over = followed.operation, followed.record["Status"] not in RUNNING
        if operation:
            report(operation)
        if is_over:
            return Outcome(followed.record, tuple(operation.failures()) if operation else ())
        wait = SHORTEST_WAIT if changed else min(wait * 1.5, LONGEST_WAIT)
        time.sleep(wait)


def stack_name(aws: Aws, provisioned_product_id: str) -> str:
    """The name that Service Catalog gives to the stack of a provisioned product, whose ID begins with pp-."""
    return f"SC-{aws.account()}-{provisioned_product_id}"


def read_record(aws: Aws, record_id: str) -> Mapping[str, Any]:
    """A record. Raises the errors of botocore."""
    record: Mapping[str, Any] = aws.client("servicecatalog").describe_record(Id=record_id)[
        "RecordDetail"
    ]
    return record


def errors_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The errors of Service Catalog in a record."""
    return tuple(
        f"{error.get('Description', 'no reason given').rstrip('.')} ({error.get('Code', 'no code')})."
        for error in record.get("RecordErrors", [])
    )
