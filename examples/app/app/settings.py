"""The application's own settings: lines of an environment file and one secret, which docs/settings.md describes.

ECS sets the lines of the file as variables. The secret is one variable with a JSON object.
"""

import json
import os

SECRETS = "APPLICATION_SECRETS"


def load() -> None:
    """Make a variable of each secret; the variables of the environment have precedence. Call it before anything reads a setting."""
    for name, value in json.loads(os.environ.get(SECRETS, "{}")).items():
        os.environ.setdefault(name, value)


def welcome() -> str:
    """The text that the application shows, as its operators set it."""
    return os.environ.get("WELCOME", "Carbon Connect")


def has_partner() -> bool:
    """Whether the key of a partner's service is set. An answer must not contain the key itself."""
    return bool(os.environ.get("PARTNER_KEY"))
