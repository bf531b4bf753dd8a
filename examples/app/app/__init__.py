"""An application that follows the container contract; see docs/container-contract.md."""

from app import settings

# api, worker and migration import this package first, so that every module finds all settings.
settings.load()
