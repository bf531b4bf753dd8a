"""The release gate: what the new version would break for the environments that have an older one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.catalog.desired.catalog import Desired, DesiredProduct
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.in_use import VersionInUse
from pipeline.catalog.plan.steps import Action, Step
from pipeline.changes.report import report
from pipeline.changes.state import State
from pipeline.errors import listed
from pipeline.gate.findings import Finding, of_interface, of_layer, of_resources
from pipeline.gate.notes import Notes
from pipeline.gate.values import complete
from pipeline.release.assemble import Release
from templates_src.environment import TEMPLATE_FOLDER, TEMPLATE_SUFFIX, stack_title

# The name of a product's template among those that it nests.
ROOT = "product"
Template = Mapping[str, Any]


def gate_steps(
    desired: Desired,
    release: Release,
    in_use: Mapping[str, Sequence[VersionInUse]],
    layers: Mapping[str, str],
    notes: Notes,
) -> Iterator[Step]:
    """One refusal that names every break without a reason in the notes, and a report of each that has one.

    ``in_use`` and ``layers`` are by the products' keys; a product of a whole environment has an empty layer.
    """
    broken: defaultdict[str, dict[str, None]] = defaultdict(dict)
    lost: list[str] = []
    for key, versions in in_use.items():
        product = desired.products[key]
        for version in versions:
            if version.root is None:
                lost.append(f"s3://{desired.bucket}/{version.key} ({_users(product, version)})")
                continue
            update = Update(product, release, version, version.root, layers[key], desired.region)
            for finding in update.findings():
                broken[finding.change][_users(product, version)] = None
    subject = f"Release {release.version}"
    described = {change: f"{change} in {listed(list(where))}" for change, where in broken.items()}
    reasons = notes.reasons
    without = [described[change] for change in broken if change not in reasons]
    if without:
        reason = (
            f"would break versions that are in use: {'; '.join(without)}; "
            f"undo it, or write the reason under breaking in {notes.file}"
        )
        yield Step(Action.REFUSE, Kind.VERSION, subject, reason)
    if lost:
        reason = f"cannot be compared with versions that are in use, as {listed(lost)} is missing; restore it"
        yield Step(Action.REFUSE, Kind.VERSION, subject, reason)
    for change in broken:
        if change in reasons:
            why = reasons[change].reason.rstrip(".")
            yield Step(Action.REPORT, Kind.VERSION, subject, f"{described[change]}: {why}")


@dataclass(frozen=True)
class Update:
    """An update of the users of a version, whose template is ``root``, to the release; ``layer`` is that of a single one."""

    product: DesiredProduct
    release: Release
    version: VersionInUse
    root: Template
    layer: str
    region: str

    def findings(self) -> Iterator[Finding]:
        """What the update breaks, each kind of change once."""
        if self.layer:
            yield from of_layer(self.layer, self.root, self.body)
        else:
            yield from of_interface(self.root, self.body)
        stack = stack_title(self.layer) if self.layer else ""
        known: set[str] = set()
        for values in self.given():
            before, after = self.states(values)
            for finding in of_resources(report("", before, after).changes, stack):
                if finding.change not in known:
                    known.add(finding.change)
                    yield finding

    @cached_property
    def body(self) -> Template:
        """The new template of the product."""
        body: Template = json.loads(self.product.version.body)
        return body

    def given(self) -> Iterator[Mapping[str, str]]:
        """The values of each user, and none for users that are not visible."""
        yield from (user.values for user in self.version.users if user.values)
        if self.version.shared or not all(user.values for user in self.version.users):
            yield {}

    def states(self, values: Mapping[str, str]) -> tuple[State, State]:
        """An environment before the update and after it; the update keeps the values."""
        before = complete(self.root, values, self.region)
        after = complete(self.body, before, self.region)
        return (
            State({**self.version.nested, ROOT: self.root}, before, self.region, ROOT),
            State({**templates_of(self.release), ROOT: self.body}, after, self.region, ROOT),
        )


def templates_of(release: Release) -> dict[str, Template]:
    """The templates of a release by their names."""
    return {
        path.removeprefix(f"{TEMPLATE_FOLDER}/").removesuffix(TEMPLATE_SUFFIX): json.loads(text)
        for path, text in release.files.items()
        if path.endswith(TEMPLATE_SUFFIX)
    }


def _users(product: DesiredProduct, version: VersionInUse) -> str:
    """A version with those who use it, as a plan names them."""
    users = [user.name for user in version.users]
    if version.shared:
        users.append("accounts that it is shared with")
    return f"{product.name} {version.name} ({', '.join(users)})"
