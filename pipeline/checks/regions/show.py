"""Output of regions: a table, JSON, or one sentence per region."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.checks.regions.readiness import Readiness, Reason
from pipeline.checks.regions.schemas import source
from pipeline.errors import listed

_WORDS: Mapping[bool | None, tuple[str, str]] = {
    True: ("yes", "green"),
    False: ("no", "red"),
    None: ("unknown", "yellow"),
}


def merged(found: Readiness) -> dict[Reason, list[str]]:
    """Each reason once, with its environments."""
    holding: dict[Reason, list[str]] = {}
    for environment, reasons in found.reasons.items():
        for reason in reasons:
            holding.setdefault(reason, []).append(environment)
    return holding


def reasons(found: Readiness) -> str:
    """The reasons, each sentence once; a reason for only some of the environments names them."""
    return " ".join(
        reason.text
        if len(environments) == len(found.reasons)
        else f"{listed(environments)}: {reason.text}"
        for reason, environments in merged(found).items()
    )


def phrases(found: Readiness) -> str:
    """The reasons in a few words."""
    return ", ".join(
        reason.short
        if len(environments) == len(found.reasons)
        else f"{reason.short} for {listed(environments)}"
        for reason, environments in merged(found).items()
    )


def as_json(found: Sequence[Readiness], unlisted: Sequence[str]) -> str:
    """All results; null if it is not known whether an environment is ready."""
    regions = [
        {
            "Region": each.region,
            "Products": each.products,
            "Environments": {
                name: {
                    "Ready": each.ready(name),
                    "Reasons": [{"Text": reason.text, "Known": reason.known} for reason in reasons],
                }
                for name, reasons in each.reasons.items()
            },
        }
        for each in found
    ]
    document = {"Schemas": source(), "NotInSchemas": list(unlisted), "Regions": regions}
    return json.dumps(document, indent=1, ensure_ascii=False)


def as_table(
    console: Console, found: Sequence[Readiness], unlisted: Sequence[str], *, full: bool
) -> None:
    """One line per region: each environment and the products, and the reasons, as ``full`` sentences or a few words.

    A list of what no schema states follows.
    """
    if not console.is_terminal:
        # Lines are never wrapped, so that the output can be piped.
        console.width = 1_000
    table = Table(box=None, pad_edge=False)
    environments = list(found[0].reasons)
    for title in ("Region", *environments, "products"):
        table.add_column(title, no_wrap=True)
    table.add_column("Why not", overflow="fold")
    for each in found:
        verdicts = [*map(each.ready, environments), each.products]
        why = reasons(each) if full else phrases(each)
        table.add_row(each.region, *(Text(*_WORDS[verdict]) for verdict in verdicts), Text(why))
    console.print(table)
    ready = sum(each.everywhere for each in found)
    console.print(
        f"{ready} of {len(found)} ready for {listed(environments)}, by the schemas of {source()}.",
        style="bold",
    )
    console.print(
        f"No schema says which regions have {listed(list(unlisted))}, which regions an account has enabled, and its quotas."
    )


def not_ready(console: Console, found: Sequence[Readiness], *, full: bool) -> None:
    """The regions that are not ready for every environment, one line each, in ``full`` sentences or a few words."""
    for each in found:
        if not each.everywhere:
            why = f". {reasons(each)}" if full else f": {phrases(each)}"
            console.print(
                f"{each.region} is not ready{why}", soft_wrap=True, markup=False, highlight=False
            )
