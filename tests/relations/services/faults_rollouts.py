"""Faults in what rolls a new version back."""

from __future__ import annotations

from tests.relations.planting import drop, put
from tests.relations.registry import Fault
from tests.relations.services import checks_compute as compute

FAULTS = (
    Fault(
        "alarms that are read and roll nothing back",
        compute.alarms_roll_the_api_back,
        "ApiService does not follow ApiRollbackAlarms",
        put("ApiService", "DeploymentConfiguration/Alarms/Rollback", False),
    ),
    Fault(
        "an alarm that is on in spite of the parameter",
        compute.alarms_roll_the_api_back,
        "ApiService does not follow ApiRollbackAlarms (false)",
        put("ApiService", "DeploymentConfiguration/Alarms/Enable", "true"),
        variant="dev on what exists",
    ),
    Fault(
        "an api that is not rolled back for slow answers",
        compute.alarms_roll_the_api_back,
        "ApiService is not rolled back for TargetResponseTime",
        drop("ApiService", "DeploymentConfiguration/Alarms/AlarmNames/1"),
    ),
    Fault(
        "an alarm on the load balancer's other targets",
        compute.alarms_roll_the_api_back,
        "ApiDeploymentResponseTimeTooHigh reads TargetResponseTime of other targets too",
        drop("ApiDeploymentResponseTimeTooHigh", "Dimensions/1"),
    ),
    Fault(
        "an alarm that a slow start raises",
        compute.alarms_roll_the_api_back,
        "ApiDeploymentUnhealthyTargetsTooHigh is raised while a task starts",
        put("ApiDeploymentUnhealthyTargetsTooHigh", "DatapointsToAlarm", 2),
    ),
    Fault(
        "an alarm that a quiet minute raises",
        compute.alarms_roll_the_api_back,
        "ApiDeploymentErrorsTooHigh is raised without traffic",
        put("ApiDeploymentErrorsTooHigh", "TreatMissingData", "breaching"),
    ),
)
