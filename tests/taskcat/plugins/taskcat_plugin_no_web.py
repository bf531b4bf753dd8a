"""A hook that gives taskcat the style sheet and intervals of an offline run, in a run without these changes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from tests.taskcat.offline import offline

# Entered once, and left with the process.
LASTING = ExitStack()


class Hook:
    """Lasts as long as the process."""

    def __init__(
        self, _hook_config: Any, _config: Any, _test: Any, _parameters: Any, _outputs: Any
    ) -> None:
        LASTING.enter_context(offline())
