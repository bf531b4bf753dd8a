"""Compares the end of an operation with its row."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.operations.operation import Chain, Result


def check(chain: Chain, results: list[Result], position: int) -> None:
    """Fail unless the operation ended as its row says, and lost nothing."""
    expected, result = chain.operations[position].end, results[position]
    if expected.said:
        assert re.search(expected.said, result.text), result.text
    else:
        assert not result.text
    assert result.end == replace(expected, said=""), result.text
    assert not result.lost
