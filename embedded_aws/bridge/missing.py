"""The error for a name of ministack that the installed version lacks."""

import importlib.metadata
from types import ModuleType


class MissingNameError(ImportError):
    """A private name that the installed version of ministack does not have."""

    def __init__(self, module: ModuleType, name: str) -> None:
        version = importlib.metadata.version("ministack")
        super().__init__(
            f"ministack {version} has no {module.__name__}.{name}; install the version of constraints.txt, "
            "or adapt embedded_aws/bridge as docs/embedded-aws.md says."
        )
