"""Repeat a publication in one situation, each time with one fault at one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import REGION
from tests.launch_role.test_deployed import settled
from tests.publishing.conftest import Publisher
from tests.publishing.faults import (
    FAULTS,
    KILLED_AFTER,
    KILLED_BEFORE,
    Calls,
    Fault,
    is_write,
    no_waiting,
)
from tests.publishing.minimal_catalog import CATALOG, ORGANIZATION, SHARE, small_catalog
from tests.publishing.states import StatefulAws

SHARED = (
    CATALOG.replace("products:\n  production", f"{SHARE}products:\n  production") + ORGANIZATION
)


DEVELOPMENT = "  development: {name: Development, description: Dev, profile: dev}\n"
JOINT = (CATALOG + DEVELOPMENT).replace("[production]", "[production, development]")
SPLIT = (
    (CATALOG + DEVELOPMENT)
    .replace("[production]", "[development]")
    .replace("launch_role: launch\n", "launch_role: launch-development\n")
    .replace(
        "products:\n  production",
        """\
  production:
    name: For customers
    description: Production alone
    products: [production]
    launch_role: launch-production
    principals: [role/launcher-production]
products:
  production""",
    )
)


def first_publication(_publisher: Publisher) -> dict[str, Any]:
    """Publish to an empty account: stacks, bucket, and one of each resource of the catalog."""
    return {"catalog": small_catalog(SHARED)}


def next_version(publisher: Publisher) -> dict[str, Any]:
    """Publish with one version to deprecate and one to retire, another role, and a catalog that a user changed."""
    older = small_catalog(CATALOG.replace("launch_role: launch", "launch_role: launch-older"))
    for version in ("1.0.0", "1.0.1"):
        publisher.publish(version=version, catalog=older)
    catalog = publisher.catalog
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]
    catalog.update_portfolio(Id=portfolio["Id"], DisplayName="Changed by hand")
    view = catalog.search_products_as_admin()["ProductViewDetails"][0]["ProductViewSummary"]
    catalog.update_product(Id=view["ProductId"], Owner="Another team")
    placed = catalog.list_constraints_for_portfolio(PortfolioId=portfolio["Id"])
    for constraint in placed["ConstraintDetails"]:
        if constraint["Type"] == "RESOURCE_UPDATE":
            forbidden = {"TagUpdateOnProvisionedProduct": "NOT_ALLOWED"}
            parameters = json.dumps({"Version": "2.0", "Properties": forbidden})
            catalog.update_constraint(Id=constraint["ConstraintId"], Parameters=parameters)
    changed = CATALOG.replace("principals: [role/launcher]", "principals: [role/launcher, role/b]")
    return {
        "version": "1.1.0",
        "catalog": small_catalog(changed.replace("    fixed: [NatGateways]\n", "")),
    }


def split_portfolio(publisher: Publisher) -> dict[str, Any]:
    """Publish over one portfolio with one launch role, as in release 1.1.0: production moves to a portfolio with its
    own role.

    An environment was launched from a version without boundaries, and has a role without one.
    """
    publisher.publish(catalog=small_catalog(JOINT))
    catalog, iam = publisher.catalog, publisher.aws.client("iam")
    iam.create_role(RoleName="launcher-production", AssumeRolePolicyDocument="{}")
    tags = {"carbon-connect:managed-by": "build.py publish", "carbon-connect:product": "production"}
    iam.create_role(
        RoleName="task",
        Path="/carbon-connect/prod/",
        AssumeRolePolicyDocument="{}",
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    product = catalog.describe_product_as_admin(Name="Production")["ProductViewDetail"]
    account = publisher.aws.account()
    older = {
        "Name": "0.9.0",
        "Description": "Release 0.9.0, template 0123456789abcdef",
        "Type": "CLOUD_FORMATION_TEMPLATE",
        "Info": {"LoadTemplateFromURL": older_template(publisher)},
    }
    identity = product["ProductViewSummary"]["ProductId"]
    catalog.create_provisioning_artifact(ProductId=identity, Parameters=older)
    [portfolio] = catalog.list_portfolios()["PortfolioDetails"]
    root = f"arn:aws:iam::{account}:root"
    place = {"PortfolioId": portfolio["Id"], "PrincipalARN": root}
    catalog.associate_principal_with_portfolio(**place, PrincipalType="IAM")
    record = catalog.provision_product(
        ProductName="Production",
        ProvisioningArtifactName="0.9.0",
        ProvisionedProductName="environment",
    )["RecordDetail"]["RecordId"]
    ended = settled(catalog, record)
    assert ended["Status"] == "SUCCEEDED", ended["RecordErrors"]
    catalog.disassociate_principal_from_portfolio(**place, PrincipalType="IAM")
    catalog.update_provisioned_product_properties(
        ProvisionedProductId=ended["ProvisionedProductId"],
        ProvisionedProductProperties={"OWNER": f"arn:aws:iam::{account}:role/launcher-production"},
    )
    return {"catalog": small_catalog(SPLIT)}


def older_template(publisher: Publisher) -> str:
    """The URL of a template whose launcher chooses the source of nested templates."""
    name = f"carbon-connect-releases-{publisher.aws.account()}-{REGION}"
    body = {
        "Parameters": {
            "ReleaseBucket": {"Type": "String", "Default": name},
            "NatGateways": {"Type": "String", "Default": "per-zone"},
        },
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    publisher.aws.client("s3").put_object(Bucket=name, Key="older.json", Body=json.dumps(body))
    return f"https://{name}.s3.{REGION}.amazonaws.com/older.json"


Situation = Callable[[Publisher], dict[str, Any]]


@dataclass
class Trials:
    """One publication, without and with interruptions.

    A publication depends only on the state of AWS and on the release, because a publisher stores nothing between runs.
    So ``mended`` has the states from which publishing again succeeded, and each is tested once. Every interrupted run
    itself takes place. ``always`` fails in an invalid state.
    """

    publisher: Publisher
    aws: StatefulAws
    wanted: dict[str, Any]
    expected: dict[str, Any]
    made: list[str]
    mended: set[str] = field(default_factory=set)
    always: Callable[[Publisher], None] = lambda _publisher: None

    @classmethod
    def of(
        cls,
        situation: Situation,
        publisher: Publisher,
        aws: StatefulAws,
        always: Callable[[Publisher], None] = lambda _publisher: None,
    ) -> Trials:
        """Prepare the situation, and record the result and the calls of a publication without interruptions."""
        publisher.begin()
        wanted = situation(publisher)
        aws.keep()
        calls = Calls()
        publisher.publish(calls, **wanted)
        return cls(publisher, aws, wanted, publisher.snapshot(), calls.made, always=always)

    @property
    def writes(self) -> set[str]:
        """The names of the writing operations of the publication without interruptions."""
        return {name.split()[0] for name in self.made if is_write(name)}

    def meet_every_fault(self, subtests: pytest.Subtests) -> None:
        """Interrupt the publication at each of its calls with each fault; fails if the next run does not repair everything."""
        met: list[str] = []
        left: dict[str, list[str]] = {}
        for fault in FAULTS:
            with subtests.test(fault.name):
                left[fault.name] = []
                for number in range(1, len(self.made) + 1):
                    name, state = self.interrupt(fault, number)
                    met.append(name)
                    left[fault.name].append(state)
        # Every fault happened at every call, and each call is that of the publication without interruptions.
        assert met == self.made * len(FAULTS)
        self.compare(left[KILLED_AFTER.name], left[KILLED_BEFORE.name])

    def compare(self, ends: list[str], beginnings: list[str]) -> None:
        """Compare the states after each call with those before the next, and with each other.

        Nothing happens between two calls. Every writing call changes the state and no reading call does, so that one
        name identifies one state.
        """
        moments = zip(ends, beginnings[1:], self.made[1:], ends[1:], strict=False)
        for end, beginning, name, after in moments:
            # A state with a changing stack has the empty name.
            if end and beginning and after:
                assert end == beginning, f"something happens before {name}"
                assert (end != after) == is_write(name), f"{name} leaves {after}"

    def interrupt(self, fault: Fault, number: int) -> tuple[str, str]:
        """Publish with the fault at the call with that number; returns the name of the call and that of the state.

        Fails unless the publication ends as the fault requires, and publishing again repairs everything.
        """
        self.aws.restore()
        calls = Calls(fault, at=number)
        where = f"{fault.name}, call {number}: {self.made[number - 1]}"
        with no_waiting():
            if fault.ends:
                with pytest.raises(fault.ends):
                    self.publisher.publish(calls, **self.wanted)
            else:
                self.publisher.publish(calls, **self.wanted)
        assert len(calls.struck) == fault.attempts, f"{where} never came"
        left = self.aws.digest()
        if left not in self.mended:
            self.always(self.publisher)
            if fault.ends is None:
                assert self.publisher.snapshot() == self.expected, f"{where}: not whole"
            self.mend(where)
            # A state with a changing stack has no name, and is tested every time.
            self.mended |= {left} - {""}
        return calls.struck[0], left

    def mend(self, where: str) -> None:
        """Publish again; fails unless the result is that of a publication without interruptions, with no steps left."""
        self.publisher.publish(**self.wanted)
        assert self.publisher.snapshot() == self.expected, f"{where}: not made good"
        [plan] = self.publisher.plan(**self.wanted)
        assert not plan.writing, f"{where}: not finished"
