"""What docs/firewall.md promises: its table is that of the web ACL with each value of WafBlockedBodies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.checks.render import Rendered, render
from tests.promises.pages import written_by_hand
from tests.relations.variants import REGION, built
from tests.rendering import only

PAGE = "firewall.md"
RULE = re.compile(r"`(\w+_BODY)`")
COUNT, BLOCK = "count", "block"
HEAD = "rules for bodies"


def rules(rendered: Rendered) -> list[dict[str, Any]]:
    """The rules of the web ACL."""
    found: list[dict[str, Any]] = only(rendered, "AWS::WAFv2::WebACL").properties["Rules"]
    return found


def documented(choice: str) -> Iterator[tuple[str, str]]:
    """Each rule for bodies with what it does, in the column of a value."""
    lines = [line for line in written_by_hand(PAGE).splitlines() if line.startswith("|")]
    head, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    assert head[0] == HEAD
    (column,) = (at for at, title in enumerate(head) if title.split(" ")[0] == f"`{choice}`")
    for row in rows:
        for rule in RULE.findall(row[0]):
            yield rule, row[column]


@pytest.mark.parametrize("choice", ["attacks", "all", "none"])
def test_bodies_are_blocked_as_the_page_says(choice: str) -> None:
    """No other rule counts, so that those for the path, the query string, headers and cookies block."""
    rendered = render(built(), "dev", REGION, {"WafBlockedBodies": choice})
    counted = {
        override["Name"]
        for rule in rules(rendered)
        for override in rule["Statement"]
        .get("ManagedRuleGroupStatement", {})
        .get("RuleActionOverrides", ())
    }
    stated = dict(documented(choice))

    assert set(stated.values()) <= {COUNT, BLOCK}
    assert counted == {rule for rule, action in stated.items() if action == COUNT}
    assert [
        rule["Name"] for rule in rules(rendered) if rule.get("OverrideAction") == {"Count": {}}
    ] == []


def test_the_firewall_limits_the_rate_of_an_address() -> None:
    rendered = render(built(), "dev", REGION, {"WafRateLimit": "500"})
    ((rule, statement),) = (
        (rule, rule["Statement"]["RateBasedStatement"])
        for rule in rules(rendered)
        if "RateBasedStatement" in rule["Statement"]
    )

    assert rule["Action"] == {"Block": {}}
    assert (statement["AggregateKeyType"], statement["Limit"]) == ("IP", "500")
    assert "requests in five minutes" in written_by_hand(PAGE)
    assert statement["EvaluationWindowSec"] == 300
