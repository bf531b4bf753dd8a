"""What becomes of a product's versions: the newest is launched, older ones only updated, the oldest retired."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.catalog.desired.catalog import DesiredProduct
from pipeline.catalog.desired.kinds import Kind
from pipeline.catalog.observed.model import DEFAULT, DEPRECATED, ObservedProduct, ObservedVersion
from pipeline.catalog.observed.version_order import (
    newest_first,
    own_versions,
    surplus,
    version_order,
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
    beyond = surplus(versions, wanted, kept)
    for version in versions:
        subject = f"{wanted.name} {version.name}"
        if not version.digest:
            if version.name != wanted.version.name:
                yield Step(
                    Action.REPORT,
                    Kind.VERSION,
                    subject,
                    "was not made by this publisher, or its description no longer says so; it is left alone",
                )
        elif version in beyond:
            yield beyond_step(
                subject, version, wanted, why_retired(version, names, kept), shared=shared
            )
        else:
            yield guidance_step(subject, version, wanted, newest=version.name == names[0])


def desired_version_step(
    wanted: DesiredProduct, versions: tuple[ObservedVersion, ...], kept: int
) -> Step:
    """The step for the version that is published."""
    version = wanted.version
    subject = f"{wanted.name} {version.name}"
    same = [seen for seen in versions if seen.name == version.name]
    others = [seen for seen in same if seen.digest != version.digest]
    if others:
        return Step(
            Action.REFUSE,
            Kind.VERSION,
            subject,
            f"is published already with other content ({others[0].id}); raise the version in setup.cfg",
        )
    if same:
        if len(same) > 1:
            return Step(
                Action.REPORT,
                Kind.VERSION,
                subject,
                f"is there {len(same)} times ({listed([seen.id for seen in same])}); delete all but one by hand",
            )
        if same[0].description != version.description:
            return Step(
                Action.UPDATE,
                Kind.VERSION,
                subject,
                "its description was changed",
                VersionChange(wanted, {"Description": version.description}, same[0]),
            )
        return Step(Action.UNCHANGED, Kind.VERSION, subject, "is published")
    newer = [
        seen
        for seen in own_versions(versions)
        if version_order(seen.name) > version_order(version.name)
    ]
    if len(newer) >= kept:
        return Step(
            Action.REFUSE,
            Kind.VERSION,
            subject,
            f"is older than the {kept} versions that are kept; raise the version in setup.cfg",
        )
    if len(versions) >= MAX_VERSIONS:
        return Step(
            Action.REFUSE,
            Kind.VERSION,
            subject,
            f"the product has {len(versions)} versions, and Service Catalog takes {MAX_VERSIONS}; "
            "update or terminate what uses the oldest, or delete versions made by hand",
        )
    changes = {"Guidance": DEPRECATED} if newer else {}
    reason = f"is new, and older than {newest_first(versions, wanted)[0]}" if newer else "is new"
    return Step(Action.CREATE, Kind.VERSION, subject, reason, VersionChange(wanted, changes))


def guidance_step(
    subject: str, version: ObservedVersion, wanted: DesiredProduct, *, newest: bool
) -> Step:
    """The newest is to be launched; the others may only update what was launched from them."""
    if newest and not version.active:
        return Step(
            Action.REPORT,
            Kind.VERSION,
            subject,
            "was deactivated by hand, so nothing can be launched from it; activate it again or publish a newer one",
        )
    if newest and version.guidance != DEFAULT:
        return Step(
            Action.UPDATE,
            Kind.VERSION,
            subject,
            "is the newest and was deprecated",
            VersionChange(wanted, {"Guidance": DEFAULT}, version),
        )
    if not newest and version.active and version.guidance != DEPRECATED:
        return Step(
            Action.DEPRECATE,
            Kind.VERSION,
            subject,
            "a newer version is there",
            VersionChange(wanted, {"Guidance": DEPRECATED}, version),
        )
    told = "is the newest" if newest else "is kept"
    return Step(Action.UNCHANGED, Kind.VERSION, subject, told)


def why_retired(version: ObservedVersion, names: list[str], kept: int) -> str:
    """Why a version goes, as a reason begins; ``names`` are those of all versions, newest first."""
    if version.name in names[kept:]:
        return f"is beyond the {kept} kept"
    return "lets its launcher choose where templates are read from"


def beyond_step(
    subject: str, version: ObservedVersion, wanted: DesiredProduct, why: str, *, shared: bool
) -> Step:
    """A version that is to be retired goes, unless something may still use it."""
    if version.users:
        reason = f"{why}, but {listed(list(version.users))} use it"
        return report_or_deprecate(subject, version, wanted, reason)
    if shared:
        reason = f"{why}, but its product is shared, and who uses it elsewhere cannot be seen"
        return report_or_deprecate(subject, version, wanted, reason)
    return Step(
        Action.RETIRE,
        Kind.VERSION,
        subject,
        f"{why}, and nothing uses it",
        VersionChange(wanted, {}, version),
    )


def report_or_deprecate(
    subject: str, version: ObservedVersion, wanted: DesiredProduct, reason: str
) -> Step:
    """A version that has to stay is not launched anew."""
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
