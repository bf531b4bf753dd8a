"""The command line: build, lint, render, upload, launch and delete. Run `python build.py --help`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.assemble import Release
    from pipeline.aws import Aws
    from pipeline.launch import Launched

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Build, lint, render, upload, launch and delete Carbon Connect's infrastructure.",
    epilog="Example: python build.py launch dev --embedded",
)

EnvironmentName = Annotated[
    str, typer.Argument(help="Name of a profile in parameters/, such as dev.")
]
Region = Annotated[str, typer.Option(help="AWS region.")]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="A parameter value over the profile's. Repeatable."
    ),
]
Bucket = Annotated[str, typer.Option(help="Release bucket, in the region of the launch.")]
Embedded = Annotated[
    bool, typer.Option("--embedded", help="Use an embedded AWS instead of an account.")
]
DEFAULT_REGION = "eu-north-1"
# Exit status after Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Build, lint, render, upload, launch and delete Carbon Connect's infrastructure."""
    if context.invoked_subcommand is None:
        build()


@app.command(epilog="Example: python build.py build")
def build() -> None:
    """Write dist/templates/ and dist/manifest.json; the default."""
    from pipeline.assemble import assemble, write
    from pipeline.profiles import load_profile, profile_names

    release = assemble()
    for name in profile_names():
        load_profile(release.root, name)
    changed = write(release)
    print(
        f"Release {release.prefix} has {len(release.files)} files, {len(changed)} changed on disk."
    )


@app.command(epilog="Example: python build.py lint --region eu-north-1 --region us-east-1")
def lint(
    region: Annotated[list[str], typer.Option(help="AWS region. Repeatable.")] = [DEFAULT_REGION],  # noqa: B006 - Typer reads the default
    fresh: Annotated[bool, typer.Option("--fresh", help="Read again what was clean.")] = False,
) -> None:
    """Run cfn-lint over the templates and over every rendered environment; warnings are failures."""
    from pipeline.assemble import assemble
    from pipeline.aws import require_region
    from pipeline.lint import lint as run

    for name in region:
        require_region(name)
    report = run(assemble(), region, fresh=fresh)
    if report.findings:
        from pipeline import show

        show.findings(console(), report)
        raise typer.Exit(1)
    print(f"Clean: {report.targets} sets of templates, {report.linted} read now.")


@app.command(epilog="Example: python build.py render prod --region eu-west-1 --output /tmp/prod")
def render(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    output: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
) -> None:
    """Write an environment as it would be launched, one JSON a layer."""
    given = parsed(settings)
    from pipeline.assemble import assemble, serialize
    from pipeline.aws import require_region
    from pipeline.render import render as run

    require_region(region)
    rendered = run(assemble(), environment, region, given)
    folder = output or Path("dist") / "rendered" / f"{environment}-{region}"
    folder.mkdir(parents=True, exist_ok=True)
    for layer, body in rendered.layers.items():
        (folder / f"{layer}.json").write_bytes(serialize(body))
    print(f"Wrote {len(rendered.layers)} templates to {folder}.")


@app.command(epilog="Example: python build.py upload --bucket my-releases --region eu-north-1")
def upload(
    bucket: Bucket,
    region: Region = DEFAULT_REGION,
) -> None:
    """Put the release into a bucket, where it never changes; what is there already is left."""
    from pipeline.assemble import assemble, write
    from pipeline.aws import Aws
    from pipeline.launch_files import write_launch_files
    from pipeline.profiles import load_profile, profile_names
    from pipeline.upload import upload as run

    release = assemble()
    for name in profile_names():
        load_profile(release.root, name)
    write(release)
    done = run(Aws(region), release, bucket)
    write_launch_files(release, bucket)
    print(
        f"s3://{bucket}/{done.prefix} has the release: {len(done.written)} written, {done.present} there before."
    )


@app.command(epilog="Example: python build.py launch dev --set ImageTag=1.4.2")
def launch(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    bucket: Annotated[str, typer.Option(help="Release bucket; made if you name none.")] = "",
    embedded: Embedded = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="With --embedded: leave it running.")
    ] = False,
) -> None:
    """Upload the release, create or update the environment, and show its progress and outputs."""
    if keep and not embedded:
        raise typer.BadParameter("--keep needs --embedded.")
    given = parsed(settings)
    from pipeline import show
    from pipeline.assemble import assemble, write
    from pipeline.profiles import load_profile, overridden

    release = assemble()
    overridden(release.root, load_profile(release.root, environment), given)
    write(release)
    with target(region, embedded=embedded) as aws:
        if embedded:
            from pipeline.stand_ins import embedded_prerequisites

            given = {**embedded_prerequisites(aws, environment, given), **given}
        launched = launch_release(aws, release, environment, given, bucket)
        if not launched.succeeded:
            show.failures(console(stderr=True), launched)
            raise typer.Exit(1)
        told = "launched" if launched.changed else "has no changes to launch"
        show.pairs(console(), f"{launched.stack} {told} ({launched.status})", launched.outputs)
        if keep:
            stay(aws)


def launch_release(
    aws: Aws, release: Release, environment: str, given: dict[str, str], bucket: str
) -> Launched:
    """Upload and launch; refuses wrong values before anything is uploaded."""
    from pipeline import show
    from pipeline.launch import launch as run
    from pipeline.profiles import load_profile, resolve
    from pipeline.render import render_values
    from pipeline.upload import ensure_bucket, release_bucket_name
    from pipeline.upload import upload as put

    profile = load_profile(release.root, environment)
    named = bucket or given.get("ReleaseBucket", "")
    chosen = named or release_bucket_name(aws.account(), aws.region)
    values = resolve(release.root, profile, {**given, "ReleaseBucket": chosen})
    render_values(release, environment, aws.region, values)
    out = console()
    if not named and ensure_bucket(aws, chosen):
        out.print(f"Made bucket {chosen}.", soft_wrap=True)
    done = put(aws, release, chosen)
    out.print(
        f"Release {done.prefix}: {len(done.written)} files uploaded, {done.present} there before.",
        soft_wrap=True,
    )
    with show.Progress(out) as progress:
        return run(aws, release, values, progress, lambda text: out.print(text, soft_wrap=True))


@app.command(epilog="Example: python build.py delete dev")
def delete(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the environment's stack; what its templates retain stays."""
    given = parsed(settings)
    from pipeline import show
    from pipeline.assemble import assemble
    from pipeline.aws import Aws
    from pipeline.launch import delete as run
    from pipeline.launch import stack_name
    from pipeline.profiles import load_profile, overridden

    root = assemble().root
    values = overridden(root, load_profile(root, environment), given)
    name = stack_name(values)
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete stack {name} in {region}?", abort=True)
    out = console()
    with show.Progress(out) as progress:
        deleted = run(Aws(region), name, progress, lambda text: out.print(text, soft_wrap=True))
    if not deleted.succeeded:
        show.failures(console(stderr=True), deleted)
        raise typer.Exit(1)
    print(f"Stack {name} is deleted." if deleted.changed else f"There is no stack {name}.")


@contextmanager
def target(region: str, *, embedded: bool) -> Iterator[Aws]:
    """The AWS to launch on: the account of the credentials, or an embedded one that ends with the launch."""
    from pipeline.aws import Aws, require_region
    from pipeline.errors import Refusal

    require_region(region)
    if not embedded:
        yield Aws(region)
        return
    from embedded_aws.server import EmbeddedAws, EmbeddedAwsError

    try:
        running = EmbeddedAws.start(region=region)
    except EmbeddedAwsError as error:
        raise Refusal(str(error)) from error
    with running:
        yield Aws(region, running.environment())


def stay(aws: Aws) -> None:
    """Leave the embedded AWS running until Ctrl-C, and say how to reach it."""
    import signal

    variables = " ".join(f"{name}={value}" for name, value in aws.environment.items())
    try:
        print(
            f"The embedded AWS runs until Ctrl-C. Point any AWS client at it:\nexport {variables}",
            flush=True,
        )
        signal.pause()
    except KeyboardInterrupt:
        print("Stopped.")


def parsed(settings: list[str]) -> dict[str, str]:
    """The values of --set, by name."""
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"--set takes KEY=VALUE, not {setting!r}.")
        values[name] = value
    return values


def console(*, stderr: bool = False) -> Console:
    """Where results go."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def main() -> None:
    """Run a command; what it refuses is one sentence on standard error, and exit status 1 or, for wrong usage, 2."""
    from pipeline.errors import Refusal

    os.chdir(Path(__file__).parent)
    try:
        status = app(standalone_mode=False)
    except Refusal as refusal:
        end(str(refusal), 1)
    except typer.TyperException as error:
        end(usage(error), getattr(error, "exit_code", 2))
    except OSError as error:
        end(f"Could not use {error.filename or 'a file'}: {error.strerror or error}.", 1)
    except typer.Abort:
        end("Nothing was done.", 1)
    if status == INTERRUPTED:
        end("Interrupted; run the same command again to go on.", INTERRUPTED)
    sys.exit(status or 0)


def usage(error: Exception) -> str:
    """What is wrong with a command line, and where it is explained."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    program = context.command_path if context else Path(__file__).name
    return f"{' '.join(message.split()).rstrip('.')}; see `python {program} --help`."


def end(sentence: str, status: int) -> NoReturn:
    """Say why the program ends, and end it."""
    print(f"build.py: {sentence}", file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
