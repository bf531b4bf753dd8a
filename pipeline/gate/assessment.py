"""Compare a release with the kept one before it: breaking changes, and the lowest possible version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.changes.report import Report, report
from pipeline.changes.sides import Side, kept_versions, side, version_numbers
from pipeline.changes.state import State
from pipeline.errors import PipelineError
from pipeline.gate.findings import Finding, Level, additions, of_environment, of_layer
from pipeline.gate.notes import Notes
from pipeline.gate.values import complete
from templates_src.environment import ROOT

# The location of a release for a comparison of profile values; the same for every region.
REGION = "eu-north-1"


@dataclass(frozen=True)
class Assessment:
    """The changes of a release since an older one.

    ``breaking`` and ``additions`` are of all environments together, each once; ``reports`` by environment.
    """

    before: str
    reports: Sequence[Report]
    breaking: tuple[Finding, ...]
    additions: tuple[str, ...]

    def level(self, notes: Notes) -> Level:
        """The part of the version that the changes raise; the notes can say why a breaking change needs no major version."""
        for finding in self.breaking:
            reason = notes.reason(finding)
            if reason is None or not reason.minor_because:
                return Level.MAJOR
        return Level.MINOR if self.breaking or self.additions else Level.PATCH

    def gravest(self, notes: Notes) -> str:
        """One change that raises the version by this part."""
        for finding in self.breaking:
            reason = notes.reason(finding)
            if reason is None or not reason.minor_because:
                return finding.change
        return next(iter((*self.additions, *(each.change for each in self.breaking))), "")


def assess(before: Side, after: Side) -> Assessment:
    """Compare two releases in every environment that both have.

    Raises PipelineError for a template that cannot be evaluated.
    """
    reports = []
    breaking: dict[str, Finding] = {}
    added: dict[str, None] = {}
    for name in sorted(before.profiles.keys() & after.profiles.keys()):
        one, other = environment_of(before, name), environment_of(after, name)
        found = report(name, one, other)
        reports.append(found)
        for finding in of_environment(one, other, found.changes):
            breaking.setdefault(finding.change, finding)
        roots = before.templates[ROOT], after.templates[ROOT]
        added |= dict.fromkeys(additions(*roots, found.changes))
    for finding in of_layers(before, after):
        breaking.setdefault(finding.change, finding)
    return Assessment(before.title, tuple(reports), tuple(breaking.values()), tuple(added))


def environment_of(release: Side, name: str) -> State:
    """An environment of a release. A parameter without a value, which is a finding, has an example."""
    values = complete(release.templates[ROOT], release.state(name, REGION).values, REGION)
    return State(release.templates, values, REGION, ROOT)


def of_layers(before: Side, after: Side) -> Iterator[Finding]:
    """The layers whose interface is incompatible for users who launched them alone."""
    for layer in layers_of(before):
        if layer in after.templates:
            yield from of_layer(layer, before.templates[layer], after.templates[layer])


def layers_of(release: Side) -> list[str]:
    """The layers that the root of a release nests, by the names of their templates."""
    nested = {
        str(resource["Properties"]["TemplateURL"])
        for resource in release.templates[ROOT]["Resources"].values()
        if resource["Type"] == "AWS::CloudFormation::Stack"
    }
    return sorted(
        name
        for name in release.templates
        if any(f"/{name}.template.json" in address for address in nested)
    )


def predecessor(version: str) -> str:
    """The newest kept release before a version; empty if there is none."""
    earlier = [kept for kept in kept_versions() if version_numbers(kept) < version_numbers(version)]
    return earlier[-1] if earlier else ""


def kept_side(version: str) -> Side:
    """A kept release as a side of a comparison."""
    return side(version)


def least_version(before: str, level: Level) -> str:
    """The next version, at a level."""
    major, minor, patch = version_numbers(before)
    match level:
        case Level.MAJOR:
            return f"{major + 1}.0.0"
        case Level.MINOR:
            return f"{major}.{minor + 1}.0"
        case Level.PATCH:
            return f"{major}.{minor}.{patch + 1}"


def require_version(version: str, found: Assessment, notes: Notes) -> None:
    """Raise PipelineError for a version that is too low for the changes since the release before it."""
    level = found.level(notes)
    least = least_version(found.before, level)
    if version_numbers(version) >= version_numbers(least):
        return
    ending = (
        f"; or, if a {Level.MINOR.name.lower()} version suffices, say why under minor_because in {notes.file}"
        if level is Level.MAJOR
        else ""
    )
    raise PipelineError(
        f"Version {version} in setup.cfg is too low: {found.gravest(notes)} since {found.before}, "
        f"so the version must be at least {least}{ending}."
    )
