"""Operations on prod through its product."""

from __future__ import annotations

from tests.operations.expectations import check
from tests.operations.operation import Result
from tests.operations.table import PROD_PRODUCT as CHAIN


def test_operation_ends_as_the_table_says(results: list[Result], position: int) -> None:
    check(CHAIN, results, position)
