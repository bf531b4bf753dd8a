"""The drawing of an environment follows its rendered templates: a rule that appears or disappears changes the lines."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.checks.render import Rendered, render
from pipeline.pages.architecture.drawing import Drawing, drawing_of
from pipeline.pages.architecture.page import PAGE, different
from pipeline.pages.architecture.picture import PICTURE, picture
from pipeline.pages.architecture.svg import svg
from pipeline.pages.site import site_of
from pipeline.pages.writer import files
from pipeline.release.assemble import Release
from tests.conftest import REGION

Resources = dict[str, Any]
Change = Callable[[Rendered], None]
LEAST_BOXES, MOST_BOXES = 15, 25


def changed(rendered: Rendered, change: Change) -> Drawing:
    """The drawing after a change of the rendered templates."""
    draft = copy.deepcopy(rendered)
    change(draft)
    return drawing_of(draft)


def lines(drawing: Drawing, way: str = "") -> set[tuple[str, str]]:
    """The lines, by the titles of their boxes."""
    return {
        (drawing.title(line.source), drawing.title(line.target))
        for line in drawing.lines
        if way in {"", line.way}
    }


def test_the_boxes_are_as_many_as_a_person_reads(rendered: Rendered) -> None:
    assert LEAST_BOXES <= len(drawing_of(rendered).boxes) <= MOST_BOXES


def test_boxes_and_frames_do_not_overlap(rendered: Rendered) -> None:
    placed = drawing_of(rendered).placement
    found = list(placed.boxes.items())
    for number, (name, one) in enumerate(found):
        assert min(one.x, one.y) >= 0, name
        assert one.x + one.width <= placed.width, name
        assert one.y + one.height <= placed.height, name
        for other_name, other in found[number + 1 :]:
            apart = (
                one.x + one.width <= other.x
                or other.x + other.width <= one.x
                or one.y + one.height <= other.y
                or other.y + other.height <= one.y
            )
            assert apart, (name, other_name)


def test_the_tiers_have_three_zones(rendered: Rendered) -> None:
    frames = drawing_of(rendered).placement.frames
    assert [frame.title for frame in frames if frame.kind.startswith("tier")] == [
        "Public subnets",
        "Private subnets",
        "Data subnets",
    ]
    assert sum(frame.kind == "subnet" for frame in frames) == 9


def test_the_lines_are_the_rules_of_the_architecture(prod: Rendered) -> None:
    drawing = drawing_of(prod)
    network = lines(drawing, "network")
    assert {
        ("Internet", "Load balancer"),
        ("Load balancer", "api service"),
        ("api service", "PostgreSQL"),
        ("worker service", "Valkey"),
        ("api service", "Search server"),
        ("NAT gateway 3", "Internet"),
    } <= network
    assert ("beat service", "PostgreSQL") not in network
    assert ("api service", "Documents") in lines(drawing, "grant")
    assert ("beat service", "Documents") not in lines(drawing, "grant")


def test_a_new_rule_appears_and_a_removed_one_disappears(dev: Rendered) -> None:
    line = ("beat service", "PostgreSQL")
    assert line not in lines(drawing_of(dev))

    def allow(draft: Rendered) -> None:
        resources = draft.layers["security"]["Resources"]
        for old, new, group in (
            ("DatabaseFromWorker", "DatabaseFromBeat", "SourceSecurityGroupId"),
            ("WorkerToDatabase", "BeatToDatabase", "GroupId"),
        ):
            rule = copy.deepcopy(resources[old])
            rule["Properties"][group] = resources["BeatToCache"]["Properties"]["GroupId"]
            resources[new] = rule

    assert line in lines(changed(dev, allow))


@pytest.mark.parametrize("rule", ["DatabaseFromApi", "ApiToDatabase"])
def test_a_connection_needs_the_rules_of_both_sides(dev: Rendered, rule: str) -> None:
    drawing = changed(dev, lambda draft: draft.layers["security"]["Resources"].pop(rule))

    assert ("api service", "PostgreSQL") not in lines(drawing)
    assert ("worker service", "PostgreSQL") in lines(drawing)


def test_a_port_is_the_one_of_the_rules(dev: Rendered) -> None:
    def move(draft: Rendered) -> None:
        for name in ("DatabaseFromApi", "ApiToDatabase"):
            draft.layers["security"]["Resources"][name]["Properties"].update(
                FromPort="5433", ToPort="5433"
            )

    drawing = changed(dev, move)

    (line,) = (
        line for line in drawing.lines if (line.source, line.target) == ("ApiService", "Database")
    )
    assert [flow.what for flow in line.flows] == ["5433"]
    assert "5433" in svg(drawing)


def test_a_grant_follows_the_policy(dev: Rendered) -> None:
    line = ("worker service", "Documents")
    assert line in lines(drawing_of(dev))
    drawing = changed(
        dev, lambda draft: draft.layers["data"]["Resources"].pop("WorkerBucketAccess")
    )
    assert line not in lines(drawing)


def test_a_denial_is_no_grant(dev: Rendered) -> None:
    def deny(draft: Rendered) -> None:
        policy = draft.layers["data"]["Resources"]["WorkerBucketAccess"]["Properties"]
        for statement in policy["PolicyDocument"]["Statement"]:
            statement["Effect"] = "Deny"

    assert ("worker service", "Documents") not in lines(changed(dev, deny))


def test_the_way_to_the_internet_follows_the_routes(dev: Rendered) -> None:
    drawing = drawing_of(dev)
    assert ("PrivateSubnet2", "NAT gateway 1") in lines(drawing)

    drawing = changed(
        dev, lambda draft: draft.layers["network"]["Resources"].pop("PrivateDefaultRoute2")
    )

    assert ("PrivateSubnet2", "NAT gateway 1") not in lines(drawing)
    assert ("PrivateSubnet1", "NAT gateway 1") in lines(drawing)


def test_a_new_service_has_a_box_in_its_subnets(dev: Rendered) -> None:
    def add(draft: Rendered) -> None:
        resources = draft.layers["compute"]["Resources"]
        resources["ReportService"] = copy.deepcopy(resources["WorkerService"])

    drawing = changed(dev, add)

    assert drawing.boxes["ReportService"].title == "report service"
    assert ("report service", "PostgreSQL") in lines(drawing)


def test_workflows_of_a_repository_have_a_box(release: Release) -> None:
    rendered = render(release, "dev", overrides={"GitHubRepository": "acme/app"})
    drawing = drawing_of(rendered)
    assert ("GitHub Actions", "Repository") in lines(drawing, "grant")
    assert len(drawing.boxes) <= MOST_BOXES


def test_every_resource_is_in_one_box_or_in_the_rest(rendered: Rendered) -> None:
    drawing = drawing_of(rendered)
    placed = [key for box in drawing.boxes.values() for key in box.resources] + list(drawing.rest)
    assert sorted(placed) == sorted(
        (layer, name)
        for layer, template in rendered.layers.items()
        for name in template["Resources"]
    )


def test_the_differences_of_prod_are_marked(dev: Rendered, prod: Rendered) -> None:
    found = different([drawing_of(dev), drawing_of(prod)])
    assert {"NAT gateway 2", "PostgreSQL", "Valkey", "Access logs", "Certificate"} <= found
    assert "api service" not in found


def test_the_page_leads_from_each_box_to_its_resources(release: Release) -> None:
    page = files(site_of(release, REGION), (PAGE,)).contents["index.html"].decode()
    for environment in ("dev", "staging", "prod"):
        assert f'<a href="#{environment}-Database"' in page
        assert f'id="{environment}-Database"' in page
    assert "Data.DatabaseParameterGroup" in page


def test_the_picture_of_the_readme_is_current(release: Release) -> None:
    assert PICTURE.read_text(encoding="utf-8") == picture(release), (
        "run python -m pipeline.pages.architecture.picture"
    )
