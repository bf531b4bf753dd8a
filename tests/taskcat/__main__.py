"""`make taskcat`: the tests of taskcat.yml on an embedded AWS; with --account, in the account of the credentials."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from embedded_aws.server import EmbeddedAws
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import assemble, write
from tests.taskcat.definition import FILE_NAME, HOME
from tests.taskcat.launcher import in_account, on_embedded
from tests.taskcat.prerequisites import prepare
from tests.taskcat.tree import lay_out

OUTPUT = PROJECT_FOLDER / "taskcat_outputs"
# The exit status of shells: 128 plus the number of the signal.
INTERRUPTED = 130


def only(tree: Path, names: list[str]) -> None:
    """Remove all other tests; exits for an unknown name, for which taskcat would run no test and succeed."""
    file = tree / FILE_NAME
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    known = document["tests"]
    for name in names:
        if name not in known:
            sys.exit(f"There is no test {name!r}; {FILE_NAME} holds {', '.join(known)}.")
    document["tests"] = {name: test for name, test in known.items() if name in names}
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 if every test launched, its outputs are right, and only the expected resources remain."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.taskcat",
        description="Launch the tests of taskcat.yml, look at what they launched, and delete it.",
        epilog="example: python -m tests.taskcat dev network",
    )
    parser.add_argument("tests", metavar="TEST", nargs="*", help="tests to run; all unless given")
    parser.add_argument(
        "--account",
        action="store_true",
        help="in the account of your credentials, which costs; docs/testing.md says how much",
    )
    options = parser.parse_args(arguments)
    # taskcat uploads dist/.
    write(assemble())
    with TemporaryDirectory(prefix="carbon-connect-taskcat-") as folder:
        tree = lay_out(Path(folder) / "tree")
        if options.tests:
            only(tree, options.tests)
        if options.account:
            return in_account(tree, OUTPUT, os.environ).returncode
        with EmbeddedAws.start(region=HOME) as running:
            prepare(running)
            return on_embedded(running, tree, OUTPUT).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Interrupted; nothing that was launched is left.")
        sys.exit(INTERRUPTED)
