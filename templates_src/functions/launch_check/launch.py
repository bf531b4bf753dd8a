"""What a check receives and what it returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from .deployed import Deployed
from .dns import Server, machine_resolvers, name_servers


@dataclass(frozen=True)
class Launch:
    """A creation or an update of an environment, before it starts.

    `values` are the parameters that templates_src/guards/launch_check.py names, as strings, lists joined by commas. `previous`
    are those before the update; it is empty when the stack is created, and in the update from a release without this check.
    `creates` says whether the stack is created. `stack_id` is the ARN of the root stack. `clients` makes a boto3 client by the
    name of its service. `resolvers` are the DNS resolvers to ask; none: nothing is known of public DNS. `must_read` is False where LaunchCheck itself checks again: a check then refuses nothing that it cannot read.
    """

    values: Mapping[str, str]
    previous: Mapping[str, str]
    creates: bool
    stack_id: str
    clients: Callable[[str], Any] = field(repr=False)
    resolvers: Sequence[Server] = field(default_factory=machine_resolvers)
    must_read: bool = True

    @cached_property
    def deployed(self) -> Deployed:
        """The deployed environment before the update; empty when the stack is created."""
        return Deployed("" if self.creates else self.stack_id, self.clients)

    @cached_property
    def in_force(self) -> Mapping[str, str]:
        """The known parameter values before the update; empty when the stack is created. The values of the nested
        stacks complete the previous properties, which do not exist in an update from a release without this check.
        """
        return {**self.deployed.values, **self.previous}

    def name_servers(self, zone: str) -> frozenset[str] | None:
        """The name servers that public DNS has for a zone; None if it cannot be told."""
        return name_servers(zone, self.resolvers)

    def changed(self, name: str, default: str = "") -> bool:
        """Whether an update changes a parameter. False if the previous value is unknown. `default` is the previous
        value of a parameter that the earlier release did not have.
        """
        if not self.in_force:
            return False
        before = self.in_force.get(name, default)
        return name in self.values and before != self.values[name]


Check: TypeAlias = Callable[[Launch], "str | None"]
"""Returns one sentence that says what is wrong and what to do, or None. A check reads and never writes."""
