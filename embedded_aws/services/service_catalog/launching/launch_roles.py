"""The launch role: its identity, whether Service Catalog can assume it, and its permissions. The checks cover the
permissions that Service Catalog and CloudFormation need for any launch, because on AWS only the first launch shows
that they are missing. They do not cover the permissions for each resource.
"""

from dataclasses import dataclass

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id

from embedded_aws.bridge import tables
from embedded_aws.services.records import ServiceError
from embedded_aws.services.service_catalog.administration import permissions
from embedded_aws.services.service_catalog.administration.constraints import parameters_of
from embedded_aws.services.service_catalog.state import Record

_SERVICE = "servicecatalog.amazonaws.com"
# The tag of the copies of templates, which a launch role's policy can require:
# https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-launch.html
COPIED = {"s3:existingobjecttag/servicecatalog:provisioning": "true"}
# CloudFormation calls with the credentials of the role that called it.
FORWARDED = {"aws:calledvia": ["cloudformation.amazonaws.com"], "aws:viaawsservice": "true"}


def launch_role_arn(path: Record, product: Record) -> str | None:
    """The role of the LAUNCH constraint; a local role is in the account of the caller."""
    parameters = parameters_of(path["Id"], product["Id"], "LAUNCH")
    if parameters is None:
        return None
    return str(parameters.get("RoleArn") or _local(parameters["LocalRoleName"]))


def _local(name: str) -> str:
    role = tables.ROLES.get(name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{get_account_id()}:role/{name}"


@dataclass(frozen=True)
class LaunchRole:
    """A role that Service Catalog has assumed."""

    name: str
    account: str

    def require(self, action: str, resource: str, context: Record | None = None) -> None:
        """Refuse `action` on `resource`, with the error of AWS, if no policy of the role allows it. `context` has the
        values of condition keys, by key in lower case.
        """
        session = f"arn:aws:sts::{self.account}:assumed-role/{self.name}/servicecatalog"
        policies, limits = permissions.role_policies(self.name, self.account)
        if not permissions.is_allowed(
            session, action, resource, policies, *limits, context=context
        ):
            raise ServiceError(
                "AccessDenied",
                f"User: {session} is not authorized to perform: {action} on resource: {resource}",
            )


def assume(arn: str) -> LaunchRole:
    """The role, if it exists and trusts Service Catalog; refused otherwise."""
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    role = tables.ROLES.scoped(account, None, name)
    if role is None or role["Arn"] != arn:
        raise _denied(arn)
    trust = iam_evaluator.evaluate_resource_policy(
        role["AssumeRolePolicyDocument"],
        permissions.evaluation(
            _SERVICE, "sts:AssumeRole", arn, {"aws:sourceaccount": get_account_id()}
        ),
        service=_SERVICE,
    )
    if trust.decision != "Allow":
        raise _denied(arn)
    return LaunchRole(name, account)


def _denied(arn: str) -> ServiceError:
    return ServiceError(
        "AccessDenied",
        f"Access denied while assuming the role {arn}. Ensure that the role exists and that its"
        f" trust policy allows {_SERVICE} to assume it.",
    )
