"""The state of an environment between two operations, and checks of changes; each check yields sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.stacks.reading import outputs_of
from tests.launches.environments import STACK_TYPE, Environment, Resource
from tests.launches.inventory import Inventory, counted, expected, inventory
from tests.updates.stored_data import Held, Holdings

# Outputs of the root that an update changes, and why.
OF_THE_RELEASE: Mapping[str, str] = {
    "ReleaseVersion": "says which release it is",
    "ReleaseLocation": "says where the release is",
}
# The values in secrets that an update writes again, and why.
REWRITTEN: Mapping[str, str] = {
    "Data.DatabaseUrl": "since 1.2.0 it names the application's user, before that the master user",
}


@dataclass(frozen=True)
class State:
    """The state of an environment. ``parameters`` are by stack, those of the root under "".

    Two states with equal fields are equal.
    """

    status: str = field(compare=False)
    resources: Mapping[str, Resource]
    outputs: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]
    held: Held
    inventory: Inventory

    @classmethod
    def of(cls, environment: Environment, holdings: Holdings) -> State:
        stacks = environment.stacks()
        root, resources = stacks[""], environment.resources()
        return cls(
            status=root["StackStatus"],
            resources=resources,
            outputs=outputs_of(root),
            parameters={
                name: {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
                for name, stack in stacks.items()
            },
            held=holdings.read(resources),
            inventory=inventory(environment.aws),
        )

    @property
    def listed(self) -> Counter[str]:
        """The number of resources of each type in the stacks."""
        types = Counter(resource.type for resource in self.resources.values())
        return expected(types + Counter({STACK_TYPE: len(self.parameters)}))


def replaced(before: State, after: State, names: frozenset[str]) -> Iterator[str]:
    """Resources with data are the same."""
    for name in sorted(names & before.resources.keys()):
        was, now = before.resources[name], after.resources.get(name)
        if now is None:
            yield f"{name} ({was.type}) is gone."
        elif now != was:
            yield f"{name} ({was.type}) was {was.physical_id} and is {now.physical_id}."


def lost(before: State, after: State) -> Iterator[str]:
    """Data is the same."""
    for holder, was in before.held.items():
        if holder not in REWRITTEN and after.held.get(holder) != was:
            yield f"{holder} held {was!r} and holds {after.held.get(holder)!r}."


def changed_outputs(before: State, after: State) -> Iterator[str]:
    """An output keeps its name and its value."""
    for name, was in before.outputs.items():
        if name not in after.outputs:
            yield f"Output {name} is gone."
        elif name not in OF_THE_RELEASE and after.outputs[name] != was:
            yield f"Output {name} was {was!r} and is {after.outputs[name]!r}."


def left_over(before: State, after: State) -> Iterator[str]:
    """New and missing resources are those that the stacks created and deleted."""
    found = counted(after.inventory)
    found.subtract(counted(before.inventory))
    found.subtract(after.listed)
    found.update(before.listed)
    for kind, count in found.items():
        if count:
            yield f"There are {count:+} of {kind} that no stack knows."
