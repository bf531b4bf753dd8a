"""A hook that creates a resource in one region and does not delete it."""

from __future__ import annotations

from typing import Any


class Hook:
    """``config`` names the ``region``."""

    def __init__(
        self, hook_config: Any, _config: Any, test: Any, _parameters: Any, _outputs: Any
    ) -> None:
        (region,) = (region for region in test.regions if region.name == hook_config["region"])
        region.client("sns").create_topic(Name="litter")
