"""`build.py cost`: text and JSON, and what it refuses."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from build import app
from pipeline.errors import PipelineError


def run(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["cost", *arguments])
    if isinstance(found.exception, PipelineError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.output


def test_the_text_has_resources_savings_assumptions_and_sources() -> None:
    text = run("prod", "--assume", "requests=7")
    assert text.startswith("prod: About ")
    assert "* Network.NatGateway1: hours of the gateway 33.58" in text
    assert "Graviton (ARM64) for ElastiCache (about 20 %): 4.9 %, 4.67 USD a month" in text
    assert "requests = 7 million requests" in text
    assert "from memory, 2025-06-18, not confirmed" in text


def test_the_json_has_every_resource_with_its_charges() -> None:
    (found,) = json.loads(run("dev", "--json", "--set", "NatGateways=per-zone"))
    resources = {(each["Stack"], each["LogicalId"]): each for each in found["Resources"]}
    assert resources["Network", "NatGateway3"]["Charges"][0] == {
        "What": "hours of the gateway",
        "Month": "33.58",
        "Price": "0.046",
        "Unit": "hour",
        "Confirmed": False,
    }
    assert resources["Network", "Vpc"]["Month"] == "0.40"
    assert resources["Security", "ApiTaskRole"]["Free"] == "AWS charges nothing for IAM"
    assert float(found["Month"]) > float(found["WithoutUse"]) > 0


def test_a_region_without_prices_says_so() -> None:
    (found,) = json.loads(run("dev", "--json", "--region", "eu-west-1"))
    assert (found["Month"], found["WithoutUse"]) == (None, None)
    assert "not known: the prices are those of eu-north-1" in run("dev", "--region", "eu-west-1")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("dev", "--assume", "visitors=1"), "No assumption has the name 'visitors'"),
        (("nowhere",), "nowhere"),
    ],
)
def test_what_it_refuses(arguments: tuple[str, ...], reason: str) -> None:
    with pytest.raises(PipelineError, match=reason):
        run(*arguments)
