"""What every page is made from: the release and its rendered environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.checks.render import Rendered, render
from pipeline.checks.rendered_resources import RenderedResource, rendered_resources
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, profile_names
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release


@dataclass(frozen=True)
class Environment:
    """An environment: its rendered templates, or the problem that prevents it, as a sentence. ``values`` is the profile."""

    name: str
    values: Mapping[str, str]
    rendered: Rendered | None
    problem: str = ""


@dataclass(frozen=True)
class Site:
    """A release and all its environments in one region."""

    release: Release
    region: str
    environments: tuple[Environment, ...]

    @property
    def rendered(self) -> dict[str, Rendered]:
        """The environments that can be rendered, by name."""
        return {each.name: each.rendered for each in self.environments if each.rendered}

    @cached_property
    def resources(self) -> dict[str, list[RenderedResource]]:
        """The resources of the environments that can be rendered, by the name of the environment."""
        return {name: rendered_resources(each) for name, each in self.rendered.items()}

    @property
    def problems(self) -> dict[str, str]:
        """Why the other environments cannot be rendered, by name."""
        return {each.name: each.problem for each in self.environments if each.problem}


@dataclass(frozen=True)
class Page:
    """A page: ``name`` is the name of its file and template, and ``content`` returns the variables of the template.

    ``content`` raises PipelineError if the page cannot be produced.
    """

    name: str
    title: str
    summary: str
    content: Callable[[Site], Mapping[str, Any]]


def site_of(release: Release, region: str, profiles: Path = PARAMETERS) -> Site:
    """The site of a release, with every profile rendered, in the order of the parameter Environment.

    A profile that cannot be rendered becomes a problem.
    """
    order = release.root.declarations["Environment"].allowed
    names = sorted(
        profile_names(profiles),
        key=lambda name: (order.index(name) if name in order else len(order), name),
    )
    return Site(
        release, region, tuple(_environment(release, name, region, profiles) for name in names)
    )


def _environment(release: Release, name: str, region: str, profiles: Path) -> Environment:
    values: Mapping[str, str] = {}
    try:
        values = load_profile(release.root, name, profiles)
        return Environment(name, values, render(release, name, region, profiles=profiles))
    except PipelineError as error:
        return Environment(name, values, None, str(error))
