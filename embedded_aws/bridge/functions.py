"""ministack's private functions that this package calls or replaces; no other module names them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ministack.core import concurrency, iam_actions, iam_evaluator
from ministack.services import (
    acm,
    alb,
    autoscaling,
    ec2,
    ecs,
    elasticache,
    iam,
    lambda_svc,
    rds,
    s3,
    secretsmanager,
    tagging,
)
from ministack.services.cloudformation import (
    changesets,
    engine,
    handlers,
    helpers,
    provisioners,
    stacks,
)

from embedded_aws.bridge.missing import MissingNameError


class Function:
    """A function of ministack, in each module that imports it under its own name.

    Raises MissingNameError if this version of ministack lacks it in one of the modules.
    """

    def __init__(self, name: str, *modules: ModuleType) -> None:
        for module in modules:
            if not hasattr(module, name):
                raise MissingNameError(module, name)
        self._name, self._modules = name, modules

    @property
    def current(self) -> Callable[..., Any]:
        """Return the function that is called now: ministack's or its latest replacement."""
        function: Callable[..., Any] = getattr(self._modules[0], self._name)
        return function

    def replace(self, function: Callable[..., Any]) -> None:
        """Put a function in its place in every module."""
        for module in self._modules:
            setattr(module, self._name, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the current function."""
        return self.current(*arguments, **named)


resolve_parameters = Function("_resolve_parameters", engine, changesets, handlers)
parse_template = Function("_parse_template", engine)
evaluate_conditions = Function("_evaluate_conditions", engine, changesets)
resolve_functions = Function("_resolve_refs", engine, changesets, stacks, handlers)
dependencies_of = Function("_extract_deps", engine, stacks)
referred_to = Function("_intrinsic_references", engine, stacks)

resolve_for_difference = Function("_resolve_props_for_diff", changesets)
find_change_set = Function("_find_change_set", changesets)
check_rules = Function("_check_rules_section", engine)

resolve_stack = Function("_resolve_stack", handlers)
escape_xml = Function("_esc", handlers)
required_capabilities = Function("_required_capabilities", handlers)
capabilities_enforced = Function("_capabilities_enforced", handlers)
start_stack_operation = Function("_create_stack_task_in_region", handlers, changesets)

request_field = Function("_p", helpers)
string_members = Function("_extract_string_members", helpers)
validate_stack_tags = Function("_validate_stack_tags", helpers)
stack_error = Function("_error", helpers)
resolve_document = Function("_resolve_document", helpers)

provision_resource = Function("_provision_resource", provisioners, stacks)
update_resource = Function("_update_resource", provisioners, stacks)
with_stack_tags = Function("_with_stack_tags", provisioners, stacks)
create_secret = Function("_sm_secret_create", provisioners)
secret_string = Function("_sm_secret_string", provisioners)
update_secret = Function("_sm_secret_update", provisioners)
delete_secret = Function("_sm_secret_delete", provisioners)
metric_alarm_record = Function("_cw_metric_alarm_record", provisioners)
replication_group_attributes = Function("_ec_rg_attrs", provisioners)
delete_predecessor = Function("_delete_predecessor", provisioners)
snapshot_id = Function("_snapshot_id", provisioners)
replacing_change = Function("_replacing_change", provisioners)
physical_name = Function("_physical_name", provisioners)
create_under_new_name = Function("_seeded_create", provisioners)
create_database_record = Function("_rds_db_instance_create", provisioners)
database_attributes = Function("_rds_db_instance_attrs", provisioners)
runs_on_worker_thread = Function("_runs_on_worker_thread", stacks)

property_recreation = Function("_property_recreation", stacks)
changes_of_resources = Function("_diff_resources", stacks, changesets)
replacement_of = Function("_replacement", stacks)
validation_errors = Function("_validation_errors", stacks)
add_event = Function("_add_event", stacks)
with_dependencies = Function("_with_dependencies", stacks)
deploy_stack = Function("_deploy_stack_async", stacks, handlers, changesets)
resource_policy = Function("_resource_policy", stacks)
delete_resource = Function("_delete_resource", stacks)
failed_operation = Function("_failed_operation", stacks)
roll_back_operation = Function("_roll_back_operation", stacks, handlers)
continue_update_rollback = Function("_continue_update_rollback_async", stacks, handlers)
delete_stack = Function("_delete_stack_async", stacks, handlers)
stack_region = Function("_stack_region_context", stacks)

request_action = Function("extract_iam_action", iam_actions)
request_resource = Function("extract_resource_arn", iam_actions)
request_tags = Function("request_tag_context", iam_actions)
repository_tags = Function("_collect_ecr", tagging)
cluster_tags = Function("_collect_ecs", tagging)

resolve_condition_key = Function("_resolve_condition_key", iam_evaluator)
role_policies = Function("_gather_role_policies", iam_evaluator)
user_policies = Function("_gather_user_policies", iam_evaluator)
permissions_boundary = Function("_permissions_boundary", iam_evaluator)

import_certificate = Function("_import_certificate", acm)
delete_certificate = Function("_delete_certificate", acm)
certificate_detail = Function("_cert_shape", acm)
decode_pem = Function("_decode_pem_field", acm)
own_certificate = Function("_get_local_certificate", acm)
signing_profiles_using = Function("_signing_profiles_using", acm)

load_balancing_answer = Function("_xml", alb)
load_balancing_error = Function("_error", alb)

ecs_deployment = Function("_make_deployment", ecs)
ecs_epoch = Function("_ts_to_epoch", ecs)
ecs_time = Function("_iso", ecs)
json_answer = Function("json_response", ecs)

reconcile_instances = Function("_reconcile_instances", autoscaling)

ec2_answer = Function("_xml", ec2)
ec2_error = Function("_error", ec2)
zone_id = Function("_az_id_for_zone_name", ec2)
create_default_network = Function("_ensure_defaults_initialized", ec2)

mark_task_pending = Function("_mark_task_pending", ecs)
mark_task_running = Function("_mark_task_running", ecs)
mark_task_stopped = Function("_mark_task_stopped", ecs)
resolve_cluster_name = Function("_resolve_cluster_name", ecs)
resolve_task = Function("_resolve_task", ecs)
resolve_task_definition = Function("_resolve_td_key", ecs)
shown_record = Function("_sanitize", ecs)
container_secrets = Function("_resolve_container_secrets", ecs)
awslogs_config = Function("_awslogs_config", ecs)
create_awslogs_stream = Function("_ensure_awslogs_stream", ecs)
put_awslogs_event = Function("_emit_awslogs_event", ecs)
start_background = Function("spawn_background", concurrency)

cache_user_xml = Function("_user_xml", elasticache)
create_replication_group = Function("_create_replication_group", elasticache)
modify_replication_group = Function("_modify_replication_group", elasticache)
decrease_replica_count = Function("_decrease_replica_count", elasticache)
cache_field = Function("_p", elasticache)
cache_error = Function("_error", elasticache)

seed_aws_managed_policies = Function("_seed_aws_managed_policies", iam)
aws_managed_policy = Function("_make_aws_managed_record", iam)
policy_exists = Function("_policy_exists", iam)
boundary_error = Function("_boundary_policy_error", iam)
iam_error = Function("_error", iam)

execute_function = Function("_execute_function_with_config_scope", lambda_svc)
vpc_config_with_id = Function("_vpc_config_with_id", lambda_svc)
fetch_function_code = Function("_fetch_code_from_s3", lambda_svc)

create_snapshot_record = Function("_create_snapshot_internal", rds)
change_master_password = Function("_rotate_instance_password", rds)
snapshot_xml = Function("_snapshot_xml", rds)
database_answer = Function("_single_instance_response", rds)
rds_answer = Function("_xml", rds)
rds_error = Function("_error", rds)
rds_value = Function("_p", rds)
rds_list = Function("_parse_member_list", rds)
rds_tags = Function("_parse_tags", rds)
rds_time = Function("_format_time", rds)

read_object = Function("_get_object_data", s3)
bucket_owner = Function("_bucket_owner_account", s3)
apply_bucket_scope = Function("_apply_bucket_scope", s3)
s3_error = Function("_error", s3)

find_secret = Function("_resolve", secretsmanager)
