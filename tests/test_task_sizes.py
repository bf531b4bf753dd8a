"""Fargate's task sizes: of the pairs on the form, the rules accept exactly those that Fargate supports."""

from __future__ import annotations

import json
from itertools import product

import pytest

from pipeline.release.assemble import Release, template_path
from pipeline.template.intrinsic_functions import Scope
from templates_src.environment import ROOT

# The table of the developer guide, in GB by vCPU, read on 2026-11-28; 30 GB with 4 vCPU is the most.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
GUIDE = {
    256: {512, 1024, 2048},
    512: set(range(1024, 4096 + 1, 1024)),
    1024: set(range(2048, 8192 + 1, 1024)),
    2048: set(range(4096, 16384 + 1, 1024)),
    4096: set(range(8192, 30720 + 1, 1024)),
}


@pytest.mark.parametrize("layer", [ROOT, "compute"])
@pytest.mark.parametrize("service", ["Api", "Worker", "Beat"])
def test_rules_accept_the_sizes_of_fargate(release: Release, layer: str, service: str) -> None:
    template = json.loads(release.files[template_path(layer)])
    cpu, memory = f"{service}Cpu", f"{service}Memory"
    rules = [rule for name, rule in template["Rules"].items() if name.startswith(memory)]
    offered = [template["Parameters"][name]["AllowedValues"] for name in (cpu, memory)]
    taken = {
        (units, size)
        for units, size in product(*offered)
        if all(
            Scope(template, {cpu: units, memory: size}).holds(assertion["Assert"])
            for rule in rules
            if Scope(template, {cpu: units}).holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
        )
    }

    assert taken == {
        (units, size) for units, size in product(*offered) if int(size) in GUIDE[int(units)]
    }
    assert (len(taken), len(list(product(*offered)))) == (32, 85)
