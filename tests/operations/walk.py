"""Walk a chain of operations and record how each ends."""

from __future__ import annotations

from collections import Counter

from embedded_aws.server import EmbeddedAws
from pipeline.errors import PipelineError
from pipeline.release.assemble import Release
from tests.operations.operation import Chain, End, Operation, Result
from tests.operations.scene import CloudFormationScene, Failed, ProductScene, Scene
from tests.releases.kept import templates_of
from tests.updates import stateful
from tests.updates.faults import TAKEN
from tests.updates.states import REWRITTEN

ENTRIES = {"CloudFormation": CloudFormationScene, "product": ProductScene}
# Secrets that hold the address of an engine, which CloudFormation writes when the engine moves.
FOLLOWS = {
    "Security.DatabaseSecret": {"Data.Database"},
    "Data.CacheUrl": {"Data.ServerlessCache", "Data.CacheReplicationGroup"},
}


def walk(running: EmbeddedAws, release: Release, chain: Chain) -> list[Result]:
    """The results of a chain's operations, in their order."""
    scene = ENTRIES[chain.entry](running, release, chain.profile)
    scene.client("logs").create_log_group(logGroupName=TAKEN)
    names = stateful.names(templates_of(release.files))
    return [result_of(scene, operation, names) for operation in chain.operations]


def result_of(scene: Scene, operation: Operation, names: frozenset[str]) -> Result:
    """Run an operation, and compare the environment with its state before."""
    before = scene.stateful(names)
    held = scene.held() if before else {}
    if not before:
        scene.remember()
    text = ""
    try:
        operation.run(scene)
    except (Failed, PipelineError) as error:
        text = str(error)
    after = scene.stateful(names)
    replaced = frozenset(name for name, was in before.items() if after and after.get(name) != was)
    if after and not before:
        scene.fill()
    now = scene.held() if before else {}
    lost = tuple(
        f"{holder} held {was!r} and holds {now.get(holder)!r}"
        for holder, was in held.items()
        if holder in after and not is_rewritten(holder, replaced) and now.get(holder) != was
    )
    protections = scene.protections()
    remains = {} if after else positive(scene.left())
    end = End(scene.status(), "", replaced, all(protections), remains)
    if len(protections) > 1:
        lost = (*lost, "Database, load balancer and stack are not protected alike")
    return Result(end, lost, text)


def is_rewritten(holder: str, replaced: frozenset[str]) -> bool:
    """Whether an operation changes the content on purpose."""
    return holder in REWRITTEN or holder in replaced or bool(FOLLOWS.get(holder, set()) & replaced)


def positive(found: Counter[str]) -> dict[str, int]:
    """The types that are left over, with their numbers."""
    return {kind: found[kind] for kind in sorted(found) if found[kind] > 0}
