"""Every attempt, by its principal."""

from __future__ import annotations

from tests.attacks import inside, launching, machines, migrating, network, outside, people, settings
from tests.attacks.attack import Attack

ATTACKS: tuple[Attack, ...] = (
    *inside.TASKS,
    *inside.INSTANCE,
    *inside.FUNCTIONS,
    *migrating.MIGRATIONS,
    *migrating.OF_THE_APPLICATION,
    *migrating.LINKED,
    *outside.DEPUTIES,
    *outside.AT_RESOURCES,
    *outside.AT_RELEASES,
    *outside.WORKFLOWS,
    *outside.DEPLOYS,
    *network.CONNECTIONS,
    *settings.SETTINGS,
    *people.DIRECTLY,
    *machines.PUBLICATIONS,
    *machines.TESTS,
    *launching.MODIFIED,
    *launching.BOUNDED,
    *launching.DEV_ONLY,
)
