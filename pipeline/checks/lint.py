"""Run cfn-lint over the templates as nested stacks, and over every rendered environment; warnings count as failures."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.checks.render import Rendered, render
from pipeline.errors import PipelineError, listed
from pipeline.parameters.profiles import profile_names
from pipeline.paths import CACHE, PARAMETERS
from pipeline.release.assemble import Release, serialize, template_path
from templates_src.environment import ROOT, TEMPLATE_SUFFIX, stack_title

TREE = "templates"
CLEAN = CACHE / "lint"
FEW = 3


@dataclass(frozen=True)
class Target:
    """Templates that are linted together: the nested tree, a bootstrap template, or an environment for regions with equal templates."""

    name: str
    regions: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]
    # Informational rules read references, which a rendered environment no longer has.
    informational: bool = False

    def digest(self) -> str:
        """Digest of content, regions and linter: a target that was clean is not linted again."""
        digest = hashlib.sha256()
        parts = [self.name.encode(), *(region.encode() for region in self.regions)]
        parts += [importlib.metadata.version("cfn-lint").encode(), Path(__file__).read_bytes()]
        parts += [part for name, body in self.files for part in (name.encode(), body)]
        for part in parts:
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class Finding:
    """One thing that cfn-lint found."""

    target: str
    template: str
    rule: str
    place: str
    message: str


@dataclass(frozen=True)
class Report:
    """The result of a lint run: the number of targets, the number that were linted now, and the findings."""

    targets: int
    linted: int
    findings: tuple[Finding, ...]


def lint(
    release: Release,
    regions: Sequence[str],
    *,
    environments: Mapping[str, Sequence[str]] | None = None,
    fresh: bool = False,
    profiles: Path = PARAMETERS,
    clean: Path = CLEAN,
) -> Report:
    """Lint the nested templates and the bootstrap templates in all ``regions``, and every environment in each.

    ``environments`` gives environments with their regions, if they differ from ``regions``. Targets that were clean are not
    linted again unless ``fresh``. Raises PipelineError for a region unknown to cfn-lint and an environment that cannot be rendered.
    """
    targets = [
        nested_templates(release, tuple(regions)),
        *bootstrap_templates(release, tuple(regions)),
    ]
    if environments is None:
        environments = dict.fromkeys(profile_names(profiles), regions)
    for name, where in environments.items():
        targets += rendered_targets(release, name, where, profiles)
    stale = [target for target in targets if fresh or not (clean / target.digest()).exists()]
    findings = tuple(found for report in lint_all(stale) for found in report)
    clean.mkdir(parents=True, exist_ok=True)
    dirty = {finding.target for finding in findings}
    for target in stale:
        if target.name not in dirty:
            (clean / target.digest()).touch()
    return Report(len(targets), len(stale), findings)


def rendered_targets(
    release: Release, name: str, regions: Sequence[str], profiles: Path
) -> list[Target]:
    """An environment rendered for each region; renderings that differ only in the region's name are linted once.

    The one with the longest region name is linted, because schemas limit the length of values.
    """
    alike: dict[str, dict[str, Rendered]] = {}
    for region in regions:
        rendered = render(release, name, region, profiles=profiles)
        # Not as formatted text: its line breaks depend on the length of the name.
        nameless = json.dumps(rendered.layers).replace(region, "")
        alike.setdefault(nameless, {})[region] = rendered
    return [
        Target(
            f"{name} in {shortened(list(group))}",
            tuple(group),
            tuple(
                (f"{layer}{TEMPLATE_SUFFIX}", serialize(body))
                for layer, body in group[max(group, key=len)].layers.items()
            ),
        )
        for group in alike.values()
    ]


def shortened(regions: list[str]) -> str:
    """Regions as prose; of many, only the first, which is in no other group."""
    few = len(regions) <= FEW
    return listed(regions if few else [regions[0], f"{len(regions) - 1} other regions"])


def nested_templates(release: Release, regions: tuple[str, ...]) -> Target:
    """The templates with local TemplateURLs, in which cfn-lint follows parameters and outputs from stack to stack."""
    root: dict[str, Any] = json.loads(release.root_body)
    for layer in release.layers:
        stack = root["Resources"][stack_title(layer.name)]
        stack["Properties"]["TemplateURL"] = f"./{layer.name}{TEMPLATE_SUFFIX}"
        # W3002 warns about local paths, which only this form of the root has.
        stack["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W3002"]}}}
    files = [(f"{ROOT}{TEMPLATE_SUFFIX}", serialize(root))]
    files += [
        (f"{layer.name}{TEMPLATE_SUFFIX}", release.files[template_path(layer.name)])
        for layer in release.layers
    ]
    return Target(TREE, regions, tuple(files), informational=True)


def bootstrap_templates(release: Release, regions: tuple[str, ...]) -> list[Target]:
    """The bootstrap templates, each by itself."""
    return [
        Target(Path(path).name, regions, ((Path(path).name, body),), informational=True)
        for path, body in release.bootstrap_stacks.items()
    ]


def lint_all(targets: Sequence[Target]) -> Iterator[list[Finding]]:
    """Lint the targets in parallel, one process per core; a single target in this process."""
    if len(targets) < 2:
        yield from map(lint_target, targets)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(lint_target, targets)


def lint_target(target: Target) -> list[Finding]:
    """All findings of cfn-lint for a target."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.helpers import REGIONS
    from cfnlint.runner import Runner

    for region in target.regions:
        if region not in REGIONS:
            raise PipelineError(
                f"cfn-lint does not know the region {region!r}; use a region such as eu-north-1."
            )
    # Inside the folder: cfn-lint follows the outputs of nested templates only below the working directory.
    with TemporaryDirectory(prefix="carbon-connect-lint-") as folder, chdir(folder):
        for name, body in target.files:
            Path(name).write_bytes(body)
        config = ConfigMixIn(
            # An empty argument list: otherwise cfn-lint reads the arguments of this program.
            [],
            templates=sorted(name for name, _ in target.files),
            regions=list(target.regions),
            include_checks=["I"] if target.informational else [],
        )
        return [
            Finding(
                target.name,
                Path(match.filename).name,
                match.rule.id,
                "/".join(str(part) for part in match.path or ()),
                match.message,
            )
            for match in Runner(config).run()
        ]
