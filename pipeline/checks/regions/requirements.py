"""Refuse a launch and a publication in a region that lacks something."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.checks.regions import schemas
from pipeline.checks.regions.readiness import reasons, reasons_against
from pipeline.checks.render import Rendered
from pipeline.errors import PipelineError
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release


def require_ready(release: Release, rendered: Rendered) -> None:
    """Refuse an environment that its region is known not to be ready for; what no schema says passes.

    Raises PipelineError with the first reason.
    """
    region = rendered.region
    if region not in schemas.zones() or schemas.resource_types(region) is None:
        return
    for reason in reasons_against(release, rendered):
        if reason.known:
            raise PipelineError(
                f"{region} is not ready for {rendered.environment}: {reason.text} Choose another region or value; `build.py regions` lists them."
            )


def require_ready_profiles(
    release: Release, environments: Iterable[str], regions: Iterable[str]
) -> None:
    """Refuse a publication in a region that a profile cannot be launched in. Raises PipelineError with the first reason."""
    environments = sorted(set(environments))
    for region in regions:
        if region not in schemas.zones():
            continue
        for name in environments:
            for reason in reasons(release, name, region, PARAMETERS):
                if reason.known:
                    raise PipelineError(
                        f"{region} is not ready for {name}: {reason.text} Publish to other regions, or change parameters/{name}.json; `build.py regions` lists them."
                    )
