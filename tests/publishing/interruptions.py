"""Publishing in one situation over and over, each time with one call that meets one fault."""

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
    """Into an account that holds nothing: stacks, bucket, and one of everything in the catalog."""
    return {"catalog": small_catalog(SHARED)}


def next_version(publisher: Publisher) -> dict[str, Any]:
    """Over one version to deprecate and one to retire, another role, and a catalog that was changed by hand."""
    older = small_catalog(CATALOG.replace("launch_role: launch", "launch_role: launch-older"))
    for version in ("1.0.0", "1.0.1"):
        publisher.publish(version=version, catalog=older)
    catalog = publisher.catalog
    portfolio = catalog.list_portfolios()["PortfolioDetails"][0]
    catalog.update_portfolio(Id=portfolio["Id"], DisplayName="Changed by hand")
    view = catalog.search_products_as_admin()["ProductViewDetails"][0]["ProductViewSummary"]
    catalog.update_product(Id=view["ProductId"], Owner="Somebody")
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
    """Over one portfolio with one launch role, as of release 1.1.0: production moves to a portfolio with its own role.

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
    """The URL of a template whose launcher chooses where templates are read from."""
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
    """One publication, undisturbed and interrupted.

    What a publication does follows from what AWS holds and from what is to be published, as a publisher remembers
    nothing from one run to the next. So ``mended`` has the states of AWS from which publishing again was seen to end
    well, and it is seen once for each. Every interrupted run itself takes place. ``always`` fails in a state that must
    never be.
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
        """Prepare the situation, and see what an undisturbed publication leaves and which calls it makes."""
        publisher.begin()
        wanted = situation(publisher)
        aws.keep()
        calls = Calls()
        publisher.publish(calls, **wanted)
        return cls(publisher, aws, wanted, publisher.snapshot(), calls.made, always=always)

    @property
    def writes(self) -> set[str]:
        """The names of the operations that the undisturbed publication writes by."""
        return {name.split()[0] for name in self.made if is_write(name)}

    def meet_every_fault(self, subtests: pytest.Subtests) -> None:
        """Interrupt the publication at each of its calls by each fault; fails where anything is not made good."""
        met: list[str] = []
        left: dict[str, list[str]] = {}
        for fault in FAULTS:
            with subtests.test(fault.name):
                left[fault.name] = []
                for number in range(1, len(self.made) + 1):
                    name, state = self.interrupt(fault, number)
                    met.append(name)
                    left[fault.name].append(state)
        # Every fault at every call, and each was the call that an undisturbed publication makes there.
        assert met == self.made * len(FAULTS)
        self.compare(left[KILLED_AFTER.name], left[KILLED_BEFORE.name])

    def compare(self, ends: list[str], beginnings: list[str]) -> None:
        """Hold the states after each call against those before the next, and against each other.

        Nothing happens between two calls. Every writing call leaves another state and no reading call does, so that
        one name of a state does stand for one state.
        """
        moments = zip(ends, beginnings[1:], self.made[1:], ends[1:], strict=False)
        for end, beginning, name, after in moments:
            # The empty name is that of a stack that still changes.
            if end and beginning and after:
                assert end == beginning, f"something happens before {name}"
                assert (end != after) == is_write(name), f"{name} leaves {after}"

    def interrupt(self, fault: Fault, number: int) -> tuple[str, str]:
        """Publish with the fault at the call of that number; returns the call's name and what names the state left.

        Fails unless the publication ends as the fault lets it, and publishing again makes everything good.
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
            # A state in which a stack still changes has no name, and is mended every time.
            self.mended |= {left} - {""}
        return calls.struck[0], left

    def mend(self, where: str) -> None:
        """Publish again; fails unless that ends as an undisturbed publication does, with nothing left to write."""
        self.publisher.publish(**self.wanted)
        assert self.publisher.snapshot() == self.expected, f"{where}: not made good"
        [plan] = self.publisher.plan(**self.wanted)
        assert not plan.writing, f"{where}: not finished"
