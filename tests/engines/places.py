"""The folders of the engines, and the error if they are missing."""

from pathlib import Path

ENGINES = Path(__file__).resolve().parents[2] / ".engines"
DOWNLOADS = ENGINES / "downloads"
POSTGRES = ENGINES / "postgres16"
CELERY_54 = ENGINES / "celery54"
SCEPTRE = ENGINES / "sceptre"
RULE_PACK = ENGINES / "rule-pack"


class EngineError(Exception):
    """An engine is missing or does not start; the message says what to do."""


def present(engine: Path) -> Path:
    """The engine's folder. Raises EngineError if the set-up has not created it."""
    if not (engine / ".complete").is_file():
        raise EngineError(f"{engine} is missing: run `make setup`.")
    return engine
