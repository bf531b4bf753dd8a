"""DeleteLoadBalancer of the API: deletion protection, and the deletion of listeners, which ministack leaves.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
"""

from typing import Any

from embedded_aws.bridge import functions, tables
from embedded_aws.bridge.service_calls import call


def install() -> None:
    """Check protection and delete listeners first."""
    delete = tables.LOAD_BALANCING_ACTIONS["DeleteLoadBalancer"]

    def delete_whole(parameters: Any) -> Any:
        arn = functions.request_field(parameters, "LoadBalancerArn")
        attributes = {
            item["Key"]: item["Value"] for item in tables.LOAD_BALANCER_ATTRIBUTES.get(arn) or []
        }
        if str(attributes.get("deletion_protection.enabled")).lower() == "true":
            message = (
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            )
            return functions.load_balancing_error("OperationNotPermitted", message)
        for listener, record in list(tables.LISTENERS.items()):
            if record["LoadBalancerArn"] == arn:
                call("elbv2", "DeleteListener", ListenerArn=listener)
        return delete(parameters)

    tables.LOAD_BALANCING_ACTIONS["DeleteLoadBalancer"] = delete_whole
