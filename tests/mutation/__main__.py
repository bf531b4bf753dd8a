"""Plant faults systematically and see which checks find them: `python -m tests.mutation`.

`--most 1` tries each change in one resource of a type, the default in three. `--since 1.1.0` tries what changed since a kept
release or git revision, in a minute. `--write` removes from the list of survivors what is found now; nothing adds to it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.mutation import survivors
from tests.mutation.documents_run import document_results
from tests.mutation.environment_run import Job, jobs, results
from tests.mutation.operators import Change
from tests.mutation.results import OVERALL, STRICT, Result, area, killers, rate, table
from tests.mutation.sample import Name, name_of, sample, sample_of_changes

WORKERS = 2


def is_wanted(names: set[Name], job: Job, change: Change) -> bool:
    """Whether a mutant is in a sample."""
    return name_of(job, change) in names


def run(names: set[Name], workers: int = WORKERS) -> list[Result]:
    """The results of the mutants with these names."""
    concerned = [
        job for job in jobs() if any(name[:2] == (job.layer, job.logical_id) for name in names)
    ]
    wanted = partial(is_wanted, names)
    if workers == 1:
        return [result for job in concerned for result in results(job, wanted)]
    with ProcessPoolExecutor(workers) as pool:
        parts = pool.map(partial(results, wanted=wanted), concerned, chunksize=2)
        return [result for part in parts for result in part]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the figures, and compare the survivors with the list; 1 if one is new or a rate is too low."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--most", type=int, default=3, help="mutants of each type, place and operator"
    )
    parser.add_argument("--since", help="only what changed since this release or revision")
    parser.add_argument("--write", action="store_true", help="shrink the list of survivors")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    names = sample_of_changes(chosen.since) if chosen.since else sample(chosen.most)
    found = run(names)
    if not chosen.since:
        found += document_results()
    print("\n".join(table(found)))
    print("\nMutants by the check that finds them first:")
    for name, number in killers(found).most_common():
        print(f"  {number:5} {name}")
    print(f"\n{len(found)} mutants in {time.monotonic() - began:.0f} s.")
    return judge(found, write=chosen.write, complete=not chosen.since)


def judge(found: Sequence[Result], *, write: bool, complete: bool) -> int:
    """Print what is wrong: survivors that the list does not have, entries that are found now, and low rates."""
    status = 0
    alive = {each.key for each in found if not each.killers}
    for key in sorted(alive - survivors.listed()):
        names = sorted(each.name for each in found if each.key == key and not each.killers)
        print(f"No check finds {key}, for example in {names[0]}.", file=sys.stderr)
        status = 1
    if complete and write:
        survivors.keep(alive)
    if complete:
        for what, least, of_it in (
            (
                "stateful, edge, identity and network resources",
                STRICT,
                [e for e in found if area(e.kind) != "other"],
            ),
            ("all mutants", OVERALL, list(found)),
        ):
            explained = Counter(
                survivors.is_equivalent(each.key) for each in of_it if not each.killers
            )
            harmful = rate([e for e in of_it if e.killers or not survivors.is_equivalent(e.key)])
            print(
                f"{what}: {rate(of_it):.1%} found, {harmful:.1%} without the {explained[True]} that change nothing; wanted {least:.0%}"
            )
    return status


if __name__ == "__main__":
    raise SystemExit(main())
