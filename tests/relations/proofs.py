"""Every relation, registered by importing its module, and every fault that proves one."""

from __future__ import annotations

import importlib
import pkgutil

import tests.relations
from tests.relations import (
    faults_alarms,
    faults_choices,
    faults_containers,
    faults_data,
    faults_defaults,
    faults_edge,
    faults_exposure,
    faults_functions,
    faults_grants,
    faults_groups,
    faults_guards,
    faults_identity,
    faults_migration,
    faults_monitoring,
    faults_names,
    faults_network,
    faults_promises,
    faults_removal,
    faults_requests,
    faults_rollouts,
    faults_rotation,
    faults_rules,
    faults_search,
    faults_secrets,
    faults_server,
    faults_services,
    faults_settings,
    faults_storage,
    faults_tasks,
    faults_templates,
    faults_trust,
    faults_watching,
)

for _module in pkgutil.iter_modules(tests.relations.__path__):
    if _module.name.startswith("checks_"):
        importlib.import_module(f"{tests.relations.__name__}.{_module.name}")

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
