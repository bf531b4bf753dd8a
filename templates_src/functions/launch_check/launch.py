"""What a check receives and what it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Launch:
    """A creation or an update of an environment that is about to begin.

    `values` are the parameters that templates_src/guards/launch_check.py names, as strings, lists joined by commas. `previous`
    are those before the update; it is empty when the stack is created, and in the update from a release without this check.
    `creates` says whether the stack is created. `stack_id` is the ARN of the root stack.
    """

    values: Mapping[str, str]
    previous: Mapping[str, str]
    creates: bool
    stack_id: str
    clients: Callable[[str], Any] = field(repr=False)

    def changes(self, name: str) -> bool:
        """Whether an update changes the parameter."""
        return name in self.previous and self.previous[name] != self.values.get(name)


Check: TypeAlias = Callable[[Launch], "str | None"]
"""Returns one sentence that says what is wrong and what to do, or None. A check reads and never writes."""
