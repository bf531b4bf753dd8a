"""Run taskcat over a tree, and check what taskcat does not: outputs, the number of stacks, and remaining resources.

`python -m tests.taskcat` runs it in a separate process, in the folder of the tree: taskcat reads settings from the
folder and from the home directory at its import.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError
from taskcat._cli_core import GLOBAL_ARGS
from taskcat._client_factory import Boto3Cache
from taskcat.exceptions import TaskCatException
from taskcat.testing import CFNTest

import taskcat_plugin_protection
from embedded_aws.settings import client_environment
from pipeline.aws import Aws
from tests.launches.inventory import Inventory, inventory
from tests.taskcat.contract import Place, promises_broken
from tests.taskcat.definition import FILE_NAME
from tests.taskcat.leftovers import Kept, kept, leftovers
from tests.taskcat.offline import offline
from tests.taskcat.run_output import say_how_it_goes, watched

COMPLETE, DELETED = "CREATE_COMPLETE", "DELETE_COMPLETE"
# Seconds after which a run is stopped: three times its usual duration.
OFFLINE, IN_ACCOUNT = 300.0, 4 * 3600.0


@dataclass
class Run:
    """One run of taskcat over the tests of a tree.

    An account has other users, so there the remaining resources are not compared with those before. ``results`` has
    test, region and status of each stack; ``problems`` are sentences, with the region if there is one; ``kept`` are the
    retained resources of each region.
    """

    tree: Path
    output: Path
    in_account: bool
    results: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    kept: dict[str, Kept] = field(default_factory=dict)

    def run(self) -> None:
        """Launch every test in its regions, check the resources, delete the stacks, and check again."""
        wanted = planned(self.tree / FILE_NAME)
        places = {region: Aws(region) for _, region in wanted if region}
        account = {} if self.in_account else {region: whole_account(region) for region in places}
        before = {region: inventory(aws) for region, aws in account.items()}
        if self.in_account and not self.attempt(lambda: require_one_account(places)):
            return
        test = CFNTest.from_file(project_root=str(self.tree), input_file=FILE_NAME)
        # `make lint` checks the same templates with stricter rules, in rendered form.
        test.lint_disable = True
        test.dont_wait_for_delete = False
        self.attempt(test.run)
        if hasattr(test, "test_definition"):
            stacks = test.test_definition.stacks
            self.attempt(lambda: test.report(str(self.output)))
            self.attempt(lambda: self.look_at(stacks, wanted, places))
            self.attempt(lambda: self.take_away(test, stacks, places))
        if not self.in_account:
            self.problems += left(account, before, self.kept)

    def attempt(self, call: Callable[[], Any]) -> bool:
        """Make a call; an error is added to the problems, and the run continues."""
        try:
            call()
        except KeyboardInterrupt:
            self.problems.append("The run was interrupted")
        except (TaskCatException, ClientError, BotoCoreError, OSError) as error:
            self.problems.append(f"taskcat stopped: {error}")
        else:
            return True
        return False

    def look_at(
        self, stacks: Any, wanted: list[tuple[str, str]], places: Mapping[str, Aws]
    ) -> None:
        """The results of taskcat, and the problems that it does not report."""
        self.results = [(stack.test_name, stack.region_name, stack.status) for stack in stacks]
        self.problems += failures(stacks)
        self.problems += unlaunched(wanted, self.results)
        self.problems += contract_broken(places, stacks)
        for region, aws in places.items():
            there = [s.id for s in stacks if s.region_name == region and not s.launch_exception]
            self.kept[region] = kept(aws, there)

    def take_away(self, test: Any, stacks: Any, places: Mapping[str, Aws]) -> None:
        """Delete the launched stacks, protected or not, and check the result."""
        launched = [stack for stack in stacks if not stack.launch_exception]
        for stack in launched:
            # The hook did this already, unless the run ended before or it was refused.
            self.problems += taskcat_plugin_protection.still_protected(stack.region, stack.id)
        # It raises for failed creations, which are reported already, and for failed deletions, which are checked here.
        with suppress(TaskCatException):
            test.clean_up()
        for stack in launched:
            aws = places[stack.region_name]
            if end_of(aws, stack.id)[0] != DELETED:
                # An interrupted creation may have created protected resources.
                self.problems += taskcat_plugin_protection.still_protected(stack.region, stack.id)
                self.attempt(partial(delete, aws, stack.id))
            status, reason = end_of(aws, stack.id)
            if status != DELETED:
                problem = f"{stack.name} in {stack.region_name} still exists and costs money: {status} {reason}"
                self.problems.append(problem.rstrip())


def whole_account(region: str) -> Aws:
    """The embedded AWS with the account's own keys: the taskcat role cannot list all that the account has."""
    return Aws(region, client_environment(os.environ["AWS_ENDPOINT_URL"], region))


def delete(aws: Aws, stack: str) -> None:
    """Delete a stack and wait for its end."""
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack,
        WaiterConfig={
            "Delay": taskcat_plugin_protection.POLL_SECONDS,
            "MaxAttempts": taskcat_plugin_protection.ATTEMPTS,
        },
    )


def require_one_account(places: Mapping[str, Aws]) -> None:
    """Raise TaskCatException unless taskcat launches in the account whose outputs are checked, and print that account.

    taskcat uses the profile "default" if it exists, even if the environment has keys.
    """
    GLOBAL_ARGS.profile = os.environ.get("AWS_PROFILE") or GLOBAL_ARGS.profile
    ours = next(iter(places.values())).account()
    theirs = Boto3Cache().account_id(GLOBAL_ARGS.profile or "default")
    if ours != theirs:
        raise TaskCatException(
            f"it would launch in account {theirs} of the profile default, and your credentials are of {ours}; name a profile with AWS_PROFILE"
        )
    print(f"launching in account {ours}", flush=True)


def end_of(aws: Aws, stack: str) -> tuple[str, str]:
    """The status of a stack, by its ID, and the reason that it gives."""
    (described,) = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return described["StackStatus"], described.get("StackStatusReason", "")


def planned(file: Path) -> list[tuple[str, str]]:
    """The tests of taskcat.yml with each of their regions, read without taskcat; "" for a test that has none."""
    tests = yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]
    return [(name, region) for name, test in tests.items() for region in test["regions"] or [""]]


def unlaunched(wanted: list[tuple[str, str]], results: list[tuple[str, str, str]]) -> Iterator[str]:
    """The tests without a created stack, which taskcat counts as passed."""
    made = [(name, region) for name, region, _ in results]
    for name, region in wanted:
        if (name, region) not in made:
            yield f"{name}{' in ' * bool(region)}{region} was never launched"
    if len(made) > len(wanted):
        yield f"{len(made)} stacks were made for {len(wanted)} tests and regions"


def failures(stacks: Any) -> Iterator[str]:
    """The stacks that were not created, with the reasons that CloudFormation gives."""
    for stack in stacks:
        if stack.status != COMPLETE:
            reasons = "; ".join(reasons_of(stack)) or stack.status_reason
            yield f"{stack.test_name} in {stack.region_name} ended in {stack.status}: {reasons}"


def reasons_of(stack: Any) -> list[str]:
    """The failures in a stack and in those nested in it, oldest first.

    A stack is included only if nothing in it failed, because it repeats the failures in it.
    """
    events = sorted(stack.error_events(refresh=True), key=lambda event: event.timestamp)
    explained = [event for event in events if event.status_reason]
    causes = [
        event for event in explained if event.type != taskcat_plugin_protection.NESTED
    ] or explained[:1]
    return list(dict.fromkeys(f"{event.logical_id}: {event.status_reason}" for event in causes))


def contract_broken(places: Mapping[str, Aws], stacks: Any) -> Iterator[str]:
    """The problems of the outputs of the created stacks."""
    for stack in stacks:
        if stack.status == COMPLETE:
            aws = places[stack.region_name]
            place = Place(aws.region, aws.account(), aws.client)
            for sentence in promises_broken(place, stack.id):
                yield f"{stack.test_name}: {sentence}"


def left(
    places: Mapping[str, Aws], before: Mapping[str, Inventory], expected: Mapping[str, Kept]
) -> Iterator[str]:
    """The remaining resources in the regions."""
    everywhere = frozenset(thing for each in expected.values() for thing in each.things)
    for region, each in expected.items():
        yield from leftovers(places[region], before[region], each, everywhere)


def tell(run: Run) -> None:
    """The results as a table, the problems, and the location of the report."""
    print()
    for name, region, status in sorted(run.results):
        print(f"{name:10} {region:12} {status}")
    for problem in run.problems:
        print(problem)
    if run.in_account:
        for region, each in run.kept.items():
            for kind, name in sorted(each.things):
                print(f"retained in {region}, and yours to delete: {kind} {name}")
            for kind, count in each.snapshots.items():
                print(f"retained in {region}, and yours to delete: {count} of {kind}")
    report = run.output / "index.html"
    if report.exists():
        print(f"report: {report}")
    passed = sum(status == COMPLETE for _, _, status in run.results)
    # A test whose outputs are wrong has failed as well.
    print(f"{passed} passed, {max(len(run.results) - passed, len(run.problems))} failed")


def main() -> int:
    """Run in the current folder, with the report in the folder that is named; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.taskcat.run")
    parser.add_argument("output", type=Path)
    parser.add_argument("--account", action="store_true")
    options = parser.parse_args()
    say_how_it_goes()
    run = Run(Path.cwd(), options.output, options.account)
    longest = IN_ACCOUNT if options.account else OFFLINE
    with nullcontext() if options.account else offline(), watched(run.problems, longest):
        run.run()
    tell(run)
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
