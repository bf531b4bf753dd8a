"""The pages Resources, Access and Cost follow the rendered templates: what is added appears, what is removed disappears."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pipeline.checks.render import Rendered
from pipeline.cost.table import in_usd
from pipeline.pages.access import page as access
from pipeline.pages.inventory import costs, resources
from pipeline.pages.site import Page, Site, site_of
from pipeline.pages.writer import files
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.conftest import REGION

PAGES = (resources.PAGE, access.PAGE, costs.PAGE)
Resources = dict[str, Any]


@pytest.fixture(scope="module")
def site(release: Release) -> Site:
    return site_of(release, REGION)


def changed(site: Site, change: Callable[[dict[str, Resources]], None]) -> Site:
    """The site with dev alone, after a change of its rendered resources by layer."""
    dev = site.environments[0]
    rendered: Rendered = copy.deepcopy(site.rendered[dev.name])
    change({layer: template["Resources"] for layer, template in rendered.layers.items()})
    return replace(site, environments=(replace(dev, rendered=rendered),))


def unchanged(site: Site) -> Site:
    return changed(site, lambda _layers: None)


def text(site: Site, page: Page) -> str:
    """A page without its tags."""
    found = files(site, (PAGES[0], page) if page is not PAGES[0] else (page,))
    assert not found.failures
    name = "index.html" if page is PAGES[0] else f"{page.name}.html"
    plain = re.sub(r"<[^>]+>", " ", found.contents[name].decode().replace("<wbr>", ""))
    return re.sub(r"\s+", " ", plain)


def test_a_resource_that_is_added_or_removed(site: Site) -> None:
    def change(layers: dict[str, Resources]) -> None:
        layers["data"]["Archive"] = {
            "Type": "AWS::EC2::Volume",
            "DeletionPolicy": "Snapshot",
            "Properties": {"VolumeType": "gp3", "Size": 1000, "AvailabilityZone": "eu-north-1a"},
        }
        del layers["monitoring"]["Dashboard"]

    before, after = (
        text(each, resources.PAGE) for each in (unchanged(site), changed(site, change))
    )
    assert "Archive AWS::EC2::Volume Snapshot" in after
    assert "83.60" in after
    assert "Archive" not in before
    assert "Dashboard AWS::CloudWatch::Dashboard" in before
    assert "Dashboard AWS::CloudWatch::Dashboard" not in after


def test_a_grant_that_is_added_or_removed(site: Site) -> None:
    def change(layers: dict[str, Resources]) -> None:
        layers["security"]["BackDoor"] = {
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "back-door",
                "Roles": [{"Ref": "BeatTaskRole"}],
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Sid": "OpenEverything",
                            "Effect": "Allow",
                            "Action": "secretsmanager:*",
                            "Resource": "*",
                        }
                    ]
                },
            },
        }
        del layers["data"]["ApiBucketAccess"]

    before, after = (text(each, access.PAGE) for each in (unchanged(site), changed(site, change)))
    row = "Security.DatabaseSecret read Security.BeatTaskRole Compute.BeatTaskDefinition Security.BackDoor/OpenEverything"
    assert row in after
    assert row.replace(" read ", " write ") in after
    assert "May do everything in secretsmanager: every resource." in after
    assert "BackDoor" not in before
    assert "Data.ApiBucketAccess/KeepObjects" in before
    assert "Data.ApiBucketAccess" not in after


def test_a_denied_grant_is_no_grant(site: Site) -> None:
    def change(layers: dict[str, Resources]) -> None:
        statements = layers["data"]["ApiBucketAccess"]["Properties"]["PolicyDocument"]["Statement"]
        statements.append({"Sid": "Never", "Effect": "Deny", "Action": "s3:*", "Resource": "*"})

    before, after = (text(each, access.PAGE) for each in (unchanged(site), changed(site, change)))
    row = "Data.MediaBucket write Security.ApiTaskRole"
    assert row in before
    assert row not in after


def test_a_port_that_is_opened_and_one_without_egress(site: Site) -> None:
    def change(layers: dict[str, Resources]) -> None:
        layers["security"]["DatabaseFromAnyone"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]},
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "CidrIp": "0.0.0.0/0",
            },
        }
        del layers["security"]["WorkerToDatabase"]

    before, after = (text(each, access.PAGE) for each in (unchanged(site), changed(site, change)))
    opened = "TCP 5432 Data.Database Security.DatabaseSecurityGroup anyone on the internet Security.DatabaseFromAnyone"
    assert opened in after
    assert opened not in before
    assert "refused Security.WorkerSecurityGroup has no egress rule to this port" in after
    assert "refused" not in before


def test_a_price_that_changes_or_is_unknown(site: Site) -> None:
    def change(layers: dict[str, Resources]) -> None:
        layers["data"]["SearchVolume"]["Properties"]["Size"] = "120"
        layers["data"]["Database"]["Properties"]["DBInstanceClass"] = "db.m7g.large"
        layers["network"]["Queue"] = {"Type": "AWS::SQS::Queue"}

    before, after = (text(each, costs.PAGE) for each in (unchanged(site), changed(site, change)))
    assert (
        f"gp3 storage 0.0836 per GB-month AWS, on demand, eu-north-1, 2026-10-01 {in_usd(120 * Decimal('0.0836'))}"
        in after
    )
    assert "Data.Database: The price of hours of db.m7g.large in one zone is not known." in after
    assert "Network.Queue: No price of AWS::SQS::Queue is known" in after
    assert "is not known" not in before


def test_a_region_without_prices_is_named_on_the_pages(release: Release) -> None:
    elsewhere = site_of(release, "eu-west-1")
    assert "The monthly cost in eu-west-1 is not known" in text(elsewhere, costs.PAGE)
    assert "in eu-west-1 is not known" in text(elsewhere, resources.PAGE)


def test_the_script_has_the_numbers_of_the_page(site: Site) -> None:
    """The sums from the data of the script are the totals on the page."""
    content = costs.content(site)
    data = json.loads(content["data"])
    values = {each.name: float(value) for each, value in content["assumptions"]}
    for name, ids in data["environments"].items():
        total = 0.0
        for key in ids:
            price, least, terms = data["charges"][key]
            quantity = 0.0
            for number, *names in terms:
                product = number
                for each in names:
                    product *= values[each]
                quantity += product
            total += price * max(quantity, least)
        assert f"{total:,.2f}" == content["totals"][name][0]


def test_every_source_is_a_line_of_the_templates(site: Site) -> None:
    for found in resources.content(site)["layers"].values():
        for row in (row for _, _, rows in found for row, _ in rows):
            path, _, line = row.source.partition(":")
            lines = (PROJECT_FOLDER / path).read_text(encoding="utf-8").splitlines()
            assert path.startswith("templates_src/"), row.name
            assert "/core/" not in path, row.name
            assert 0 < int(line) <= len(lines), row.name


def test_what_a_change_does_follows_the_change_engine(site: Site) -> None:
    found = {
        row.name: row
        for each in resources.content(site)["layers"].values()
        for _, _, rows in each
        for row, _ in rows
    }
    database = found["Database"].effects
    assert {"DBSubnetGroupName", "KmsKeyId", "StorageEncrypted"} <= set(database.replacing)
    assert "MultiAZ" not in (*database.replacing, *database.possible)
    assert ("DBInstanceClass", "the database restarts; with a standby it fails over") in (
        database.interrupting
    )
    assert database.fate.startswith("A final snapshot stays")
    assert "AvailabilityZone" in found["SearchVolume"].effects.refused
