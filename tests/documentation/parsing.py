"""Typing errors in commands that a test cannot run: options and values of build.py, services and options of the AWS CLI, names
of modules, files and targets.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import typer

import build
from pipeline.aws import DEFAULT_REGION
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.launches.tree import clean_environment

ASSIGNMENT = re.compile(r"\w+=\S*")


def errors(release: Release, text: str) -> list[str]:
    """A sentence for each command that its program would refuse for a typing error; empty if there is none."""
    return [
        f"{' '.join(words)}: {error}"
        for words in commands(text)
        for error in errors_of(release, words)
    ]


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a block, as lists of words."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, "&&"]:
            if word in ("&&", ";", "|"):
                while words and ASSIGNMENT.fullmatch(words[0]):
                    del words[0]
                if words:
                    yield words
                words = []
            else:
                words.append(word)


def errors_of(release: Release, words: list[str]) -> Iterator[str]:
    """The errors of one command."""
    program, *arguments = words
    match Path(program).name, arguments:
        case "aws", _:
            yield from of_the_aws_cli(arguments)
        case (("python" | "python3"), ["build.py", *rest]):
            yield from of_build(release, rest)
        case (("python" | "python3"), ["-m", module, *_]):
            if importlib.util.find_spec(module) is None:
                yield f"there is no module {module}"
        case "make", [target]:
            if f"\n{target}: " not in (PROJECT_FOLDER / "Makefile").read_text(encoding="utf-8"):
                yield f"there is no target {target}"
        case "pytest", [*paths]:
            for path in paths:
                if "/" in path and not (PROJECT_FOLDER / path).exists():
                    yield f"there is no {path}"
        case (("git" | "pip" | "pre-commit" | "taskcat" | "cd"), _):
            return
        case _:
            yield "the command is not known"


def of_build(release: Release, arguments: list[str]) -> Iterator[str]:
    """The errors of a command of build.py: its options, and the parameters of --set."""
    group = typer.main.get_command(build.app)
    assert isinstance(group, typer.core.TyperGroup)
    name, *rest = arguments
    command = group.commands.get(name)
    if command is None:
        yield f"build.py has no command {name}"
        return
    try:
        context = command.make_context(name, list(rest))
    except typer.TyperException as error:
        yield build.usage(error)
        return
    for option, value in pairwise(rest):
        parameter = value.partition("=")[0]
        if option == "--set" and parameter not in release.root.template.parameters:
            yield f"there is no parameter {parameter}"
    context.close()


def of_the_aws_cli(arguments: list[str]) -> Iterator[str]:
    """The errors of the AWS CLI, which validates the request with the model of the service and sends nothing."""
    done = subprocess.run(
        [Path(sys.executable).with_name("aws"), *arguments, "--generate-cli-skeleton", "output"],
        # Without the profiles of the machine.
        env=clean_environment({"AWS_DEFAULT_REGION": DEFAULT_REGION}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        yield done.stderr.strip().splitlines()[-1]
