"""Services that this package adds to ministack's router."""

from __future__ import annotations

from typing import Any

import ministack.app
from ministack.core import router


def add_service(name: str, service: Any, *, target: str | None = None) -> None:
    """Route requests signed for `name` (and, for JSON services, with `target`) to `service`."""
    pattern: dict[str, Any] = {"credential_scope": name, "host_patterns": [rf"{name}\."]}
    if target:
        pattern["target_prefixes"] = [target]
    router.SERVICE_PATTERNS[name] = pattern
    module = name.replace("-", "_")
    ministack.app.SERVICE_REGISTRY[name] = {"module": module}
    ministack.app._state_map[module] = module
    ministack.app._loaded_modules[module] = service
    ministack.app.SERVICE_HANDLERS[name] = ministack.app._lazy_handler(module)
