"""The parts of the code and their allowed imports: one table for the test and docs/architecture.md.

    python -m tests.structure.rooms

writes the table into docs/architecture.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
PAGE = PROJECT_FOLDER / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: python -m tests.structure.rooms -->\n", "<!-- rooms end -->\n"

# Packages that import the buildings, and that the buildings must not import.
NEVER_IMPORTED = frozenset({"tests", "benchmarks", "tools", "examples"})

# A folder with more modules and subfolders than this is split.
MOST_IN_A_FOLDER = 14


@dataclass(frozen=True)
class Building:
    """A top-level package: its floors from the lowest to the highest, each with rooms and their descriptions.

    ``name`` is a package or, for floors within a room, a subpackage. A room is a module or a subpackage. It may import rooms of lower floors, and the rooms of other buildings in ``uses``:
    a whole building, or one room of it as ``building.room``.
    """

    name: str
    floors: tuple[dict[str, str], ...]
    uses: frozenset[str] = frozenset()


BUILDINGS = (
    Building(
        "templates_src",
        (
            {
                "core": "what every template is made of: declarations, layers, nesting, IAM statements",
                "functions": "the code of the Lambda functions, packed; the command line runs the checks of launch_check too",
            },
            {
                "network": "the layer network",
                "data": "the layer data",
                "edge": "the layer edge",
                "release_bucket": "the template of the bucket that holds releases",
            },
            {
                "security": "the layer security",
                "launch_role": "the template of the role that launches the products",
            },
            {"compute": "the layer compute"},
            {"monitoring": "the layer monitoring"},
            {
                "guards": "the functions of the root: the check before a launch, the protection after it"
            },
            {"environment": "the root template, which nests the layers"},
            {"access": "the templates of the roles of people and machines"},
        ),
    ),
    Building(
        "pipeline",
        (
            {
                "errors": "the error that the command line answers with one sentence",
                "paths": "where the project keeps files",
            },
            {
                "aws": "AWS clients, regions and partitions, and AWS errors as sentences",
                "template": "CloudFormation's intrinsic functions; references in values; example values of resources",
                "parameters": "environment profiles, and relations between parameter values",
            },
            {
                "release": "assembling templates, packing functions, name limits, upload, parameter files",
            },
            {
                "checks": "rendering, lint, evaluation of IAM policies, permissions of the launch role, regions",
                "stacks": "deploying stacks, following their events, early validation; why services fail, their logs and one-off tasks",
            },
            {
                "cost": "what AWS charges, each price with its date and source; what an environment costs a month",
            },
            {
                "changes": "what a release or a value changes in a launched environment",
            },
            {
                "gate": "what a release breaks, its notes and pages, the version that it needs",
            },
            {
                "catalog": "publishing Service Catalog products: desired, observed, plan, apply",
            },
            {
                "environments": "environments in an account: the check before a launch, operations with Service Catalog, previews, deletions",
                "pages": "the site of an environment, and docs/parameters.md",
            },
        ),
        uses=frozenset({"templates_src"}),
    ),
    Building(
        "pipeline.catalog",
        (
            {"spec": "catalog.yaml: checks, model, JSON Schema"},
            {"desired": "what a region must hold: catalog.yaml and a release"},
            {"observed": "what a region holds now; reading calls only"},
            {"plan": "the steps from observed to desired; no calls"},
            {"apply": "taking the steps"},
            {"publish": "plan and publication of all regions"},
            {"show": "a plan and the progress on the terminal"},
        ),
    ),
    Building(
        "pipeline.environments",
        (
            {
                "provisioning": "launching, updating and terminating environments from their product",
                "preview": "what an operation does to a deployed environment, read from AWS",
            },
            {
                "deletion": "what a deletion deletes and keeps, what blocks it, what stays in the account",
            },
            {"account": "the check of the account before a launch, and the environments in it"},
        ),
    ),
    Building(
        "commands",
        (
            {"common": "what several commands share"},
            {
                "building": "build, lint, render, upload",
                "changes": "changes",
                "direct": "launch --direct",
                "pages": "pages",
                "regions": "regions",
            },
            {"publishing": "plan and publish"},
            {"launching": "launch, update, status, outputs"},
            {
                "checking": "check",
                "deleting": "delete, terminate",
                "diagnosing": "why, logs, run",
            },
        ),
        uses=frozenset({"templates_src", "pipeline", "embedded_aws.server"}),
    ),
    Building(
        "commands.common",
        (
            {
                "options": "options that several commands have",
                "targets": "the account or the embedded AWS that a command works on",
                "show": "progress and results on the terminal",
                "embedded_launch": "what a launch on the embedded AWS needs and an account has",
                "embedded_sessions": "sessions of the roles on the embedded AWS",
            },
            {"preview": "showing what an operation changes, and asking before it is made"},
        ),
    ),
    Building(
        "build",
        ({"build": "the entry point of the command line"},),
        uses=frozenset({"commands", "pipeline.errors"}),
    ),
    Building(
        "embedded_aws",
        (
            {
                "errors": "the error of a service call",
                "settings": "the environment of the emulator's process",
            },
            {
                "schemas": "provider schemas, validation against them, offers of regions",
                "server": "start and stop an embedded AWS from another program",
            },
            {"bridge": "everything that depends on names that ministack keeps private"},
            {
                "cloudformation": "what CloudFormation does and ministack's engine does not",
                "resources": "resource types that ministack lacks or implements in part",
            },
            {"services": "services that ministack lacks, Service Catalog among them"},
            {"additions": "the order in which everything is added"},
            {"serving": "the HTTP server"},
            {"__main__": "python -m embedded_aws"},
        ),
    ),
)


def table() -> str:
    """Return the buildings in Markdown, each with its highest floor first."""
    lines = []
    for building in BUILDINGS:
        what = ", ".join(f"`{used}`" for used in sorted(building.uses)) or "none of the others"
        lines += [
            f"`{building.name}` imports {what}.",
            "",
            "| floor | room | holds |",
            "|---|---|---|",
        ]
        for number, floor in reversed(list(enumerate(building.floors, 1))):
            lines += [f"| {number} | `{room}` | {holds} |" for room, holds in floor.items()]
        lines.append("")
    return "\n".join(lines)


def written(page: str) -> str:
    """Return the page with the table between its two marks.

    Raises ValueError if a mark is missing.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} needs the lines {BEGIN.strip()} and {END.strip()}.")
    return f"{before}{begin}\n{table()}\n{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
