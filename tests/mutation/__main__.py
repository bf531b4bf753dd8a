"""Plant faults systematically and see which checks find them: `python -m tests.mutation`.

A run tries each change in three resources of a type, `--most 1` in one. `--since 1.1.0` tries what changed since a kept release or
git revision, in environments and templates, in a minute. `--write` removes from the list of survivors what is found now; nothing adds to it. `--idle` names the
checks that find no mutant.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

from pipeline.changes.sides import kept_versions
from tests.mutation import survivors
from tests.mutation.documents_run import document_results
from tests.mutation.environment_checks import checks_for
from tests.mutation.environment_run import VARIANTS, Job, jobs, results
from tests.mutation.idle import finds_any, idle
from tests.mutation.launch_role_run import (
    launch_role_mutants,
    launch_role_result,
    launch_role_template_results,
)
from tests.mutation.operators import Change
from tests.mutation.results import ALL, BOUNDS, Result, area, by_error, killers, rate, table
from tests.mutation.sample import (
    Name,
    TemplateName,
    name_of,
    sample,
    sample_of_changes,
    template_sample_of_changes,
)
from tests.mutation.template_operators import TemplateChange
from tests.mutation.templates_run import layer_names, template_results

WORKERS = 2
# Mutants of each type, place and operator in the run that the list of survivors is about.
MOST = 3


def is_wanted(names: Set[Name], job: Job, change: Change) -> bool:
    """Whether a mutant is in a sample."""
    return name_of(job, change) in names


def is_wanted_template(names: Set[TemplateName], layer: str, change: TemplateChange) -> bool:
    """Whether a mutant of a template is in a sample."""
    return (layer, change.operator, change.path) in names


@contextmanager
def processes(workers: int = WORKERS) -> Iterator[Executor]:
    """Processes that share the environments and checks of this one, which are prepared first."""
    for variant in VARIANTS:
        checks_for(variant)
    with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
        yield pool


def run(names: Set[Name], pool: Executor) -> list[Result]:
    """The results of the mutants with these names."""
    concerned = [
        job for job in jobs() if any(name[:2] == (job.layer, job.logical_id) for name in names)
    ]
    parts = pool.map(partial(results, wanted=partial(is_wanted, names)), concerned)
    return [result for part in parts for result in part]


def run_since(since: str, pool: Executor) -> list[Result]:
    """The results of mutants of what differs from another release."""
    names = template_sample_of_changes(since)
    parts = pool.map(
        partial(template_results, wanted=partial(is_wanted_template, names)), layer_names()
    )
    return [*run(sample_of_changes(since, MOST), pool), *itertools.chain.from_iterable(parts)]


def beside_environments(pool: Executor, most: int) -> list[Result]:
    """The results of the mutants of templates, of the launch role, of catalog.yaml and of taskcat.yml."""
    parts = [
        *pool.map(template_results, layer_names()),
        pool.map(launch_role_result, launch_role_mutants(most)),
        launch_role_template_results(),
        document_results(),
    ]
    return [result for part in parts for result in part]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the figures, and compare the survivors with the list; 1 if one is new or a rate is too low."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--most", type=int, default=MOST, help="mutants of each type, place and operator"
    )
    parser.add_argument(
        "--since",
        nargs="?",
        const=kept_versions()[-1],
        help="only what changed since this release or revision; the newest kept release without a value",
    )
    parser.add_argument("--write", action="store_true", help="shrink the list of survivors")
    parser.add_argument(
        "--idle", action="store_true", help="also name the checks that find no mutant"
    )
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    with processes() as pool:
        if chosen.since:
            found = run_since(chosen.since, pool)
        else:
            found = run(sample(chosen.most), pool) + beside_environments(pool, chosen.most)
        useless = useless_checks(found, pool) if chosen.idle else []
    print("\n".join(table(found)))
    print("\nMutants by the check that finds them first:")
    for name, number in killers(found).most_common():
        print(f"  {number:5} {name}")
    print(f"\n{len(found)} mutants in {time.monotonic() - began:.0f} s.")
    print(f"{by_error(found)} of them are found only by an error in a check.")
    for name in useless:
        print(f"{name} finds no mutant.")
    return judge(found, write=chosen.write, complete=not chosen.since and chosen.most >= MOST)


def useless_checks(found: Sequence[Result], pool: Executor) -> list[str]:
    """The checks of environments that find no mutant of what they read."""
    names = idle(killers(found))
    return [
        name for name, mutant in zip(names, pool.map(finds_any, names), strict=True) if not mutant
    ]


def judge(found: Sequence[Result], *, write: bool, complete: bool) -> int:
    """Print survivors that the list does not have and, of a complete run, the rates; 1 for such a survivor or a low rate."""
    status = 0
    alive = {each.key for each in found if not each.killers}
    for key in sorted(alive - survivors.listed()):
        names = sorted(each.name for each in found if each.key == key and not each.killers)
        print(f"No check finds {key}, for example in {names[0]}.", file=sys.stderr)
        status = 1
    if complete and write:
        survivors.keep(alive)
    if complete:
        for name, least in BOUNDS.items():
            of_it = [each for each in found if name in (ALL, area(each.kind))]
            harmful = [e for e in of_it if e.killers or not survivors.is_equivalent(e.key)]
            print(
                f"{name}: {rate(harmful):.1%} found, wanted {least:.0%}; "
                f"{rate(of_it):.1%} with the {len(of_it) - len(harmful)} that change nothing"
            )
            if rate(harmful) < least:
                print(f"Too few mutants are found: {name}.", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    raise SystemExit(main())
