"""cfn-lint over the templates as nested stacks, and over every rendered environment; warnings count."""

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

from pipeline.checks.render import render
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
    """Templates that are linted together: the nested tree, a foundation, or an environment rendered for regions where it is alike."""

    name: str
    regions: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]

    def digest(self) -> str:
        """Names the content, the regions and the linter, so that what was clean need not be read again."""
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
    """What a lint run did: targets in all, those read again, and what was found in them."""

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
    """Lint the nested templates and those of the bootstrap stacks in all ``regions``, and every environment in each.

    ``environments`` gives environments and the regions of each, where they are others. Targets that were clean when last linted are
    not read again unless ``fresh``. Raises PipelineError for a region that cfn-lint does not know and an environment that cannot be rendered.
    """
    targets = [tree(release, tuple(regions)), *bootstrap_templates(release, tuple(regions))]
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
    """An environment as it would be launched in each region; those that differ in the region's name alone are read once, for all.

    What is read is that of the longest name, because schemas limit how long values may be.
    """
    alike: dict[str, dict[str, tuple[tuple[str, bytes], ...]]] = {}
    for region in regions:
        rendered = render(release, name, region, profiles=profiles)
        files = tuple(
            (f"{layer}{TEMPLATE_SUFFIX}", serialize(body))
            for layer, body in rendered.layers.items()
        )
        # Not as they are written: where lines break depends on the length of the name.
        nameless = json.dumps(rendered.layers).replace(region, "")
        alike.setdefault(nameless, {})[region] = files
    return [
        Target(f"{name} in {shortened(list(group))}", tuple(group), group[max(group, key=len)])
        for group in alike.values()
    ]


def shortened(regions: list[str]) -> str:
    """Regions as prose, of many only the first: that one is of no other group."""
    few = len(regions) <= FEW
    return listed(regions if few else [regions[0], f"{len(regions) - 1} other regions"])


def tree(release: Release, regions: tuple[str, ...]) -> Target:
    """The templates with local TemplateURLs, in which cfn-lint follows parameters and outputs from stack to stack."""
    root: dict[str, Any] = json.loads(release.root_body)
    for layer in release.layers:
        stack = root["Resources"][stack_title(layer.name)]
        stack["Properties"]["TemplateURL"] = f"./{layer.name}{TEMPLATE_SUFFIX}"
        # W3002 warns of local paths, which only this form of the root has.
        stack["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": ["W3002"]}}}
    files = [(f"{ROOT}{TEMPLATE_SUFFIX}", serialize(root))]
    files += [
        (f"{layer.name}{TEMPLATE_SUFFIX}", release.files[template_path(layer.name)])
        for layer in release.layers
    ]
    return Target(TREE, regions, tuple(files))


def bootstrap_templates(release: Release, regions: tuple[str, ...]) -> list[Target]:
    """The templates that an account has before a release, each by itself."""
    return [
        Target(Path(path).name, regions, ((Path(path).name, body),))
        for path, body in release.bootstrap_stacks.items()
    ]


def lint_all(targets: Sequence[Target]) -> Iterator[list[Finding]]:
    """Lint the targets side by side, one process a core; a single one in this process."""
    if len(targets) < 2:
        yield from map(lint_target, targets)
        return
    with ProcessPoolExecutor() as pool:
        yield from pool.map(lint_target, targets)


def lint_target(target: Target) -> list[Finding]:
    """Everything that cfn-lint has to say of a target."""
    from cfnlint.config import ConfigMixIn
    from cfnlint.helpers import REGIONS
    from cfnlint.runner import Runner

    for region in target.regions:
        if region not in REGIONS:
            raise PipelineError(
                f"cfn-lint knows no region {region!r}; give one such as eu-north-1."
            )
    # Inside the folder: cfn-lint follows the outputs of nested templates only below the working directory.
    with TemporaryDirectory(prefix="carbon-connect-lint-") as folder, chdir(folder):
        for name, body in target.files:
            Path(name).write_bytes(body)
        config = ConfigMixIn(
            # An empty argument list: cfn-lint otherwise reads those of this program.
            [],
            templates=sorted(name for name, _ in target.files),
            regions=list(target.regions),
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
