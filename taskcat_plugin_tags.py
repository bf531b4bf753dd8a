"""A hook of taskcat: keeps the tags of each test separate.

taskcat 0.9.58 adds the tags of every test to one list (https://github.com/aws-ia/taskcat/issues/823), and CloudFormation
refuses a stack with two tags with the same key, so only one of several tests would launch. taskcat imports the hook by the
name of this module, for every test of taskcat.yml, because the project has `prehooks: [{type: tags}]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskcat._cfn.threaded import Stacker
from taskcat.testing._hooks import BaseTaskcatHook

_create_stacks_for_test = Stacker._create_stacks_for_test


class Hook(BaseTaskcatHook):  # type: ignore[misc]
    """Changes taskcat for all tests; a second call changes nothing."""

    def __init__(
        self, hook_config: Any, config: Any, test: Any, parameters: Any, outputs: Any
    ) -> None:
        super().__init__(hook_config, config, test, parameters, outputs)
        Stacker._create_stacks_for_test = create_stacks_for_test


def create_stacks_for_test(stacker: Any, test: Any, tags: Sequence[Any], threads: int = 32) -> None:
    """Create a test's stacks with a copy of the tags."""
    _create_stacks_for_test(stacker, test, list(tags), threads)
