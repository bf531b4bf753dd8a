"""The steps for a product's versions: users launch the newest, can update older ones, and the oldest are retired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.catalog.desired.catalog import DesiredProduct
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import DEFAULT, DEPRECATED, ObservedProduct, ObservedVersion
from pipeline.catalog.observed.version_order import (
    newest_first,
    own_versions,
    version_order,
    versions_to_retire,
)
from pipeline.catalog.plan.changes import VersionChange
from pipeline.catalog.plan.steps import Action, Step
from pipeline.catalog.spec.document import MAX_VERSIONS
from pipeline.errors import listed


def version_steps(
    wanted: DesiredProduct, seen: ObservedProduct | None, kept: int, *, shared: bool
) -> Iterator[Step]:
    """The steps for all versions of a product."""
    versions = seen.versions if seen else ()
    own = desired_version_step(wanted, versions, kept)
    if own.action is not Action.UNCHANGED:
        yield own
    names = newest_first(versions, wanted)
    beyond = versions_to_retire(versions, wanted, kept)
    for version in versions:
        subject = f"{wanted.name} {version.name}"
        if not version.digest:
            if version.name != wanted.version.name:
                yield Step(
                    Action.REPORT,
                    Kind.VERSION,
                    subject,
                    "unmanaged, or its description was changed; left unchanged",
                )
        elif version in beyond:
            yield retirement_step(
                subject, version, wanted, retirement_reason(version, names, kept), shared=shared
            )
        else:
            yield guidance_step(subject, version, wanted, newest=version.name == names[0])


def desired_version_step(
    wanted: DesiredProduct, versions: tuple[ObservedVersion, ...], kept: int
) -> Step:
    """The step for the version of this release."""
    version = wanted.version
    subject = f"{wanted.name} {version.name}"
    same = [seen for seen in versions if seen.name == version.name]
    others = [seen for seen in same if seen.digest != version.digest]
    if others:
        return Step(
            Action.REFUSE,
            Kind.VERSION,
            subject,
            f"is already published with other content ({others[0].id}); raise the version in setup.cfg",
        )
    if same:
        return existing_version_step(subject, wanted, same)
    return new_version_step(subject, wanted, versions, kept)


def existing_version_step(
    subject: str, wanted: DesiredProduct, same: Sequence[ObservedVersion]
) -> Step:
    """The step for a version of this release that exists, with its content, once or several times."""
    if len(same) > 1:
        return Step(
            Action.REPORT,
            Kind.VERSION,
            subject,
            f"exists {len(same)} times ({listed([seen.id for seen in same])}); delete all but one",
        )
    if same[0].description != wanted.version.description:
        return Step(
            Action.UPDATE,
            Kind.VERSION,
            subject,
            "its description has changed",
            VersionChange(wanted, {"Description": wanted.version.description}, same[0]),
        )
    return Step(Action.UNCHANGED, Kind.VERSION, subject, "up to date")


def new_version_step(
    subject: str, wanted: DesiredProduct, versions: tuple[ObservedVersion, ...], kept: int
) -> Step:
    """The step for a version of this release that does not exist yet."""
    newer = [
        seen
        for seen in own_versions(versions)
        if version_order(seen.name) > version_order(wanted.version.name)
    ]
    if len(newer) >= kept:
        return Step(
            Action.REFUSE,
            Kind.VERSION,
            subject,
            f"is older than the {kept} versions that catalog.yaml keeps; raise the version in setup.cfg",
        )
    if len(versions) >= MAX_VERSIONS:
        return Step(
            Action.REFUSE,
            Kind.VERSION,
            subject,
            f"cannot be created: the product has {len(versions)} versions, and Service Catalog accepts {MAX_VERSIONS}; "
            "update or terminate the provisioned products of the oldest, or delete unmanaged versions",
        )
    changes = {"Guidance": DEPRECATED} if newer else {}
    reason = f"new, and older than {newest_first(versions, wanted)[0]}" if newer else "new"
    return Step(Action.CREATE, Kind.VERSION, subject, reason, VersionChange(wanted, changes))


def guidance_step(
    subject: str, version: ObservedVersion, wanted: DesiredProduct, *, newest: bool
) -> Step:
    """Users launch the newest version; the others are deprecated and only update their provisioned products."""
    if newest and not version.active:
        return Step(
            Action.REPORT,
            Kind.VERSION,
            subject,
            "deactivated outside this publisher, so it cannot be launched; activate it again or publish a newer one",
        )
    if newest and version.guidance != DEFAULT:
        return Step(
            Action.UPDATE,
            Kind.VERSION,
            subject,
            "newest version, but deprecated",
            VersionChange(wanted, {"Guidance": DEFAULT}, version),
        )
    if not newest and version.active and version.guidance != DEPRECATED:
        return Step(
            Action.DEPRECATE,
            Kind.VERSION,
            subject,
            "a newer version exists",
            VersionChange(wanted, {"Guidance": DEPRECATED}, version),
        )
    reason = "newest version" if newest else "kept"
    return Step(Action.UNCHANGED, Kind.VERSION, subject, reason)


def retirement_reason(version: ObservedVersion, names: list[str], kept: int) -> str:
    """The reason to retire a version; ``names`` are those of all versions, newest first."""
    if version.name in names[kept:]:
        return f"beyond the {kept} versions kept"
    return "accepts any source of templates from its launcher"


def retirement_step(
    subject: str, version: ObservedVersion, wanted: DesiredProduct, why: str, *, shared: bool
) -> Step:
    """Retire a version, unless a provisioned product may still use it."""
    if version.users:
        reason = f"{why}, but in use by {listed(list(version.users))}"
        return report_or_deprecate(subject, version, wanted, reason)
    if shared:
        reason = f"{why}, but its product is shared, and provisioned products in other accounts are not visible"
        return report_or_deprecate(subject, version, wanted, reason)
    return Step(
        Action.RETIRE,
        Kind.VERSION,
        subject,
        f"{why}, and not in use",
        VersionChange(wanted, {}, version),
    )


def report_or_deprecate(
    subject: str, version: ObservedVersion, wanted: DesiredProduct, reason: str
) -> Step:
    """A version that must stay is deprecated: it cannot be launched again."""
    action = (
        Action.DEPRECATE if version.active and version.guidance != DEPRECATED else Action.REPORT
    )
    return Step(
        action,
        Kind.VERSION,
        subject,
        reason,
        VersionChange(wanted, {"Guidance": DEPRECATED}, version),
    )
