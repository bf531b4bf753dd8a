"""A hook that deletes a template from one region's bucket, after taskcat has uploaded it and before the launch."""

from __future__ import annotations

from typing import Any


class Hook:
    """``config`` names the ``region`` and the ``key``."""

    def __init__(
        self, hook_config: Any, _config: Any, test: Any, _parameters: Any, _outputs: Any
    ) -> None:
        (region,) = (region for region in test.regions if region.name == hook_config["region"])
        region.client("s3").delete_object(Bucket=region.s3_bucket.name, Key=hook_config["key"])
