"""ministack's records, by kind; no other module names the dictionaries that hold them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from types import ModuleType
from typing import Any

from ministack.core import iam_actions
from ministack.services import (
    acm,
    alb,
    autoscaling,
    cloudformation,
    cloudwatch,
    cloudwatch_logs,
    ec2,
    ecr,
    ecs,
    elasticache,
    iam,
    kms,
    lambda_svc,
    organizations,
    rds,
    route53,
    s3,
    secretsmanager,
    sns,
    sqs,
    ssm,
    tagging,
    waf,
)
from ministack.services.cloudformation import handlers, provisioners

from embedded_aws.bridge.missing import MissingNameError


class Table(MutableMapping[Any, Any]):
    """The records of one kind, as ministack keeps them for the account and region of the request.

    Each use looks the dictionary up, because ministack replaces some of them when its state is reset.
    Raises MissingNameError if this version of ministack has no such dictionary.
    """

    def __init__(self, module: ModuleType, name: str) -> None:
        if not hasattr(module, name):
            raise MissingNameError(module, name)
        self._module, self._name = module, name

    @property
    def store(self) -> Any:
        """Return ministack's dictionary, for functions of ministack that take it."""
        return getattr(self._module, self._name)

    def scoped(self, account: str | None, region: str | None, key: str) -> Any:
        """Return the record that another account or region has, None where it has none."""
        return self.store.get_scoped(account, region, key)

    def everywhere(self) -> list[tuple[Any, Any]]:
        """Return the records of all accounts; a key is a tuple of account, region where records have one, and key."""
        return everywhere(self.store)

    def __getitem__(self, key: Any) -> Any:
        return self.store[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self.store[key] = value

    def __delitem__(self, key: Any) -> None:
        del self.store[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.store)

    def __len__(self) -> int:
        return len(self.store)

    def __contains__(self, key: object) -> bool:
        return key in self.store


def everywhere(store: Any) -> list[tuple[Any, Any]]:
    """Return the records of all accounts; a key is a tuple of account, region (if records have one) and key."""
    return list(store._data.items())


STACKS = Table(cloudformation, "_stacks")
CHANGE_SETS = Table(cloudformation, "_change_sets")
STACK_EVENTS = Table(cloudformation, "_stack_events")

ACTIONS = Table(handlers, "_ACTION_HANDLERS")

RESOURCE_HANDLERS = Table(provisioners, "_RESOURCE_HANDLERS")
REPLACING_PROPERTIES = Table(provisioners, "_REPLACING_PROPERTIES")
STACK_TAG_PROPERTIES = Table(provisioners, "_STACK_TAG_PROPERTY")

CERTIFICATES = Table(acm, "_certificates")

LOAD_BALANCER_ATTRIBUTES = Table(alb, "_lb_attrs")
LOAD_BALANCING_ACTIONS = Table(alb, "_ACTION_MAP")
LOAD_BALANCERS = Table(alb, "_lbs")
LOAD_BALANCING_TAGS = Table(alb, "_tags")
TARGET_GROUPS = Table(alb, "_tgs")
LISTENERS = Table(alb, "_listeners")
LISTENER_RULES = Table(alb, "_rules")

AUTO_SCALING_GROUPS = Table(autoscaling, "_asgs")

ALARMS = Table(cloudwatch, "_alarms")
COMPOSITE_ALARMS = Table(cloudwatch, "_composite_alarms")
DASHBOARDS = Table(cloudwatch, "_dashboards")

LOG_GROUPS = Table(cloudwatch_logs, "_log_groups")

EC2_ACTIONS = Table(ec2, "_ACTION_MAP")

SECURITY_GROUPS = Table(ec2, "_security_groups")
SUBNETS = Table(ec2, "_subnets")
ADDRESSES = Table(ec2, "_addresses")
INTERNET_GATEWAYS = Table(ec2, "_internet_gateways")
NAT_GATEWAYS = Table(ec2, "_nat_gateways")
NETWORK_INTERFACES = Table(ec2, "_network_interfaces")
ROUTE_TABLES = Table(ec2, "_route_tables")
VPC_ENDPOINTS = Table(ec2, "_vpc_endpoints")
NETWORK_ACLS = Table(ec2, "_network_acls")
LAUNCH_TEMPLATES = Table(ec2, "_launch_templates")
INSTANCES = Table(ec2, "_instances")
NETWORK_INTERFACES = Table(ec2, "_network_interfaces")
# Functions by the action of a request.
EC2_ACTIONS = Table(ec2, "_ACTION_MAP")
VOLUMES = Table(ec2, "_volumes")
VPCS = Table(ec2, "_vpcs")
KEY_PAIRS = Table(ec2, "_key_pairs")

REPOSITORIES = Table(ecr, "_repositories")
IMAGES = Table(ecr, "_images")

ECS_SERVICES = Table(ecs, "_services")
ECS_CLUSTERS = Table(ecs, "_clusters")
TASKS = Table(ecs, "_tasks")
TASK_DEFINITIONS = Table(ecs, "_task_defs")
# Functions by the action of a request.
ECS_ACTIONS = Table(ecs, "_ACTION_MAP")

REPLICATION_GROUPS = Table(elasticache, "_replication_groups")
SERVERLESS_CACHES = Table(elasticache, "_serverless_caches")

# The prefix of the actions of each service whose requests are authorized.
ACTION_PREFIXES = Table(iam_actions, "SERVICE_TO_IAM_NAMESPACE")
IAM_ACTIONS = Table(iam, "_IAM_HANDLERS")
AWS_MANAGED_POLICIES = Table(iam, "_aws_managed_policies")
INSTANCE_PROFILES = Table(iam, "_instance_profiles")
ROLES = Table(iam, "_roles")
USERS = Table(iam, "_users")
USER_GROUPS = Table(iam, "_groups")
OIDC_PROVIDERS = Table(iam, "_oidc_providers")

KEY_ALIASES = Table(kms, "_aliases")

LAMBDA_FUNCTIONS = Table(lambda_svc, "_functions")

ORGANIZATION_ACCOUNTS = Table(organizations, "_accounts")
ORGANIZATIONS = Table(organizations, "_orgs")
ORGANIZATIONAL_UNITS = Table(organizations, "_ous")

DATABASES = Table(rds, "_instances")
DATABASE_SNAPSHOTS = Table(rds, "_snapshots")
RDS_ACTIONS = Table(rds, "_ACTION_MAP")
RDS_TAGS = Table(rds, "_tags")
DATABASE_PARAMETER_GROUPS = Table(rds, "_param_groups")
DATABASE_SUBNET_GROUPS = Table(rds, "_subnet_groups")

HOSTED_ZONES = Table(route53, "_zones")
RECORD_SETS = Table(route53, "_records")

OBJECT_VERSIONS = Table(s3, "_object_versions")
BUCKETS = Table(s3, "_buckets")
BUCKET_LIFECYCLES = Table(s3, "_bucket_lifecycle")
BUCKET_POLICIES = Table(s3, "_bucket_policies")

SECRETS = Table(secretsmanager, "_secrets")

TOPICS = Table(sns, "_topics")

QUEUE_URLS = Table(sqs, "_queue_name_to_url")

SSM_PARAMETERS = Table(ssm, "_parameters")
PUBLIC_IMAGE_PARAMETERS = Table(ssm, "_PUBLIC_AMI_PARAMETERS")

# Functions by the service of an ARN; each yields ARNs with their tags.
TAGS_OF_RESOURCES = Table(tagging, "_RESOURCE_TAG_COLLECTORS")

WEB_ACLS = Table(waf, "_web_acls")
# ARNs of ACLs by those of the resources.
WEB_ACL_ASSOCIATIONS = Table(waf, "_associations")
