"""Every relation, registered by importing its module, and every fault that proves one."""

from __future__ import annotations

import importlib
import pkgutil

import tests.relations
from tests.relations.data import faults_data, faults_removal, faults_storage
from tests.relations.functions import faults_functions, faults_guards, faults_requests
from tests.relations.identity import faults_exposure, faults_grants, faults_identity, faults_trust
from tests.relations.monitoring import faults_alarms, faults_monitoring, faults_watching
from tests.relations.network import faults_edge, faults_groups, faults_network
from tests.relations.registry import CHECKS
from tests.relations.search import faults_search, faults_server
from tests.relations.secrets import faults_rotation, faults_secrets, faults_settings
from tests.relations.services import (
    faults_containers,
    faults_migration,
    faults_promises,
    faults_rollouts,
    faults_services,
    faults_tasks,
)
from tests.relations.templates import (
    faults_choices,
    faults_defaults,
    faults_names,
    faults_rules,
    faults_templates,
)

for _module in pkgutil.walk_packages(tests.relations.__path__, f"{tests.relations.__name__}."):
    if _module.name.rpartition(".")[2].startswith(CHECKS):
        importlib.import_module(_module.name)

FAULTS = (
    *faults_services.FAULTS,
    *faults_settings.FAULTS,
    *faults_rollouts.FAULTS,
    *faults_network.FAULTS,
    *faults_groups.FAULTS,
    *faults_edge.FAULTS,
    *faults_identity.FAULTS,
    *faults_grants.FAULTS,
    *faults_requests.FAULTS,
    *faults_secrets.FAULTS,
    *faults_rotation.FAULTS,
    *faults_names.FAULTS,
    *faults_data.FAULTS,
    *faults_storage.FAULTS,
    *faults_trust.FAULTS,
    *faults_tasks.FAULTS,
    *faults_containers.FAULTS,
    *faults_server.FAULTS,
    *faults_promises.FAULTS,
    *faults_removal.FAULTS,
    *faults_alarms.FAULTS,
    *faults_monitoring.FAULTS,
    *faults_search.FAULTS,
    *faults_functions.FAULTS,
    *faults_guards.FAULTS,
    *faults_migration.FAULTS,
    *faults_watching.FAULTS,
    *faults_choices.FAULTS,
    *faults_exposure.FAULTS,
)
TEMPLATE_FAULTS = (
    *faults_templates.TEMPLATE_FAULTS,
    *faults_defaults.TEMPLATE_FAULTS,
    *faults_rules.TEMPLATE_FAULTS,
)
