"""The example app reads the settings that ECS gives it; tests/launches/test_migrated.py shows that ECS gives them."""

from __future__ import annotations

import json

import pytest

from tests.contract.application import Stack


@pytest.mark.parametrize("stack", ["serverless"], indirect=True)
def test_api_reads_file_and_secret(stack: Stack) -> None:
    secrets = {"PARTNER_KEY": "hidden", "WELCOME": "a variable has precedence"}
    api = stack.run_api(WELCOME="Hej", APPLICATION_SECRETS=json.dumps(secrets))
    api.wait_for(lambda: stack.get("/about")[0] == 200)

    assert stack.get("/about") == (200, {"welcome": "Hej", "partner": True})
    assert "hidden" not in api.said()
    api.stop()


@pytest.mark.parametrize("stack", ["serverless"], indirect=True)
def test_without_settings_the_api_has_its_defaults(stack: Stack) -> None:
    api = stack.api()

    assert stack.get("/about") == (200, {"welcome": "Carbon Connect", "partner": False})
    api.stop()
