"""The rule pack as a process that answers for templates."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from pipeline.template.example_values import ACCOUNT
from tests.engines.places import RULE_PACK, EngineError, present

PROGRAM = Path(__file__).with_name("validate.js")
# Every finding that says that AWS refuses the template. Others are style, or say what only an unrendered template can do.
SERIOUS = frozenset({"ERROR", "FATAL"})
# The engine is wrong in these, by rule and type of the resource, with the reason.
WRONG = {
    # The provider schema of 2026 has Tags, and the schema in the engine is older.
    ("F3002", "AWS::ApplicationAutoScaling::ScalableTarget"),
    # EC2 accepts resolve:ssm: in a launch template; cfn-lint accepts it too.
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html
    ("E1152", "AWS::EC2::LaunchTemplate"),
}


class PackFinding(NamedTuple):
    """A finding: the rule, the logical ID of the resource, the path in the resource, and the sentence."""

    rule: str
    resource: str
    place: str
    message: str


class RulePack:
    """The process, while in the ``with`` block. ``types`` are the resource types of all templates."""

    def __init__(self, types: Iterable[str], region: str = "eu-north-1") -> None:
        self.types, self.region = sorted(set(types)), region

    def __enter__(self) -> Self:
        try:
            self.process = subprocess.Popen(
                ["node", str(PROGRAM), str(present(RULE_PACK))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except FileNotFoundError:
            raise EngineError("node is not installed: the rule pack needs it.") from None
        self._ask({"types": self.types, "region": self.region, "account": ACCOUNT})
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(timeout=30)

    def findings(self, template: Mapping[str, Any], *, builtin: bool = True) -> list[PackFinding]:
        """What AWS would refuse in a rendered template; ``builtin`` adds the schemas and rules of the engine."""
        kinds = {name: body["Type"] for name, body in template["Resources"].items()}
        return [
            PackFinding(found["rule"], found["resource"], found["place"], found["message"])
            for found in self._ask({"template": template, "builtin": builtin})
            if found["severity"] in SERIOUS
            and (found["rule"], kinds.get(found["resource"])) not in WRONG
        ]

    def _ask(self, request: Mapping[str, Any]) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(request)}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise EngineError("The rule pack ended without an answer; its error is above.")
        return json.loads(answer)
