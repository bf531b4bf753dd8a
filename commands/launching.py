"""Commands of a product's user: launch, update, status and outputs of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common.options import (
    DEFAULT_REGION,
    Embedded,
    EnvironmentName,
    Region,
    Settings,
    Yes,
    console,
    parsed_settings,
)
from commands.common.preview import AcceptLoss, Consent, PreviewOnly, Reset, update_reviewer
from commands.common.targets import serve_until_interrupted, target

if TYPE_CHECKING:
    from pipeline.aws import Aws
    from pipeline.catalog.spec.model import Product
    from pipeline.environments.provisioning.operations import OperationResult
    from pipeline.environments.provisioning.records import Note, Report
    from pipeline.release.assemble import Release

ProductVersion = Annotated[str, typer.Option(help="Version of the product.")]
Portfolio = Annotated[str, typer.Option(help="Portfolio to use, if several offer the product.")]
Name = Annotated[
    str, typer.Option(help="Name of the provisioned product; default: PROJECT-ENVIRONMENT.")
]
Tags = Annotated[
    list[str],
    typer.Option("--tag", metavar="KEY=VALUE", help="Value for a tag option. Repeatable."),
]


def launch(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    product_version: ProductVersion = "",
    portfolio: Portfolio = "",
    tags: Tags = [],  # noqa: B006 - Typer reads the default
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Launch or update with CloudFormation, without Service Catalog."
        ),
    ] = False,
    bucket: Annotated[
        str,
        typer.Option(help="With --direct: existing release bucket; by default, one is created."),
    ] = "",
    reset: Reset = [],  # noqa: B006 - Typer reads the default
    accept_loss: AcceptLoss = [],  # noqa: B006 - Typer reads the default
    preview: PreviewOnly = False,
    yes: Yes = False,
    embedded: Embedded = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="With --embedded: keep the embedded AWS running.")
    ] = False,
) -> None:
    """Launch an environment and show its progress and outputs."""
    given, chosen = parsed_settings(settings), parsed_settings(tags, "--tag")
    if direct:
        refuse_options_of_products(product_version, portfolio, chosen)
    else:
        refuse_options_of_direct(bucket, reset, accept_loss, preview=preview)
    if both := sorted(given.keys() & set(reset)):
        raise typer.BadParameter(f"--set and --reset both name {both[0]}; give one of them.")
    if keep and not embedded:
        raise typer.BadParameter("--keep needs --embedded.")
    from commands.common.embedded_launch import embedded_prerequisites
    from commands.direct import DirectLaunch, launch_directly
    from pipeline.parameters.profiles import load_profile, with_overrides
    from pipeline.release.assemble import assemble, write

    release = assemble()
    profile = load_profile(release.root, environment)
    if direct or embedded:
        # The product in an account can belong to another release, with other parameters.
        with_overrides(release.root, profile, given)
        write(release)
    with target(region, embedded=embedded) as aws:
        if embedded:
            given = {**embedded_prerequisites(aws, environment, given), **given}
        if direct:
            consent = Consent(tuple(accept_loss), yes, preview)
            wanted = DirectLaunch(given, tuple(reset), bucket, consent, examine=not embedded)
            launch_directly(aws, release, environment, wanted)
        else:
            if embedded:
                aws = publish_to_embedded(aws, release, environment)  # noqa: PLW2901 - the same AWS, as its user from now on
            name = provisioned_name({**profile, **given})
            launch_product(
                aws,
                environment,
                name,
                given,
                product_version,
                portfolio,
                chosen,
                None if embedded else release,
            )
        if keep:
            serve_until_interrupted(aws)
    if embedded and not keep:
        console().print(
            "The embedded AWS has ended, and these addresses with it; --keep keeps it running.",
            soft_wrap=True,
        )


def refuse_options_of_products(
    product_version: str, portfolio: str, tags: Mapping[str, str]
) -> None:
    """Raise BadParameter for an option that --direct does not have."""
    if product_version or portfolio or tags:
        raise typer.BadParameter("--product-version, --portfolio and --tag go without --direct.")


def refuse_options_of_direct(
    bucket: str, reset: list[str], accept_loss: list[str], *, preview: bool
) -> None:
    """Raise BadParameter for an option that needs --direct."""
    if bucket:
        raise typer.BadParameter("--bucket needs --direct.")
    if reset or accept_loss or preview:
        raise typer.BadParameter(
            "--reset, --accept-loss and --preview need --direct; without it, `update` changes an environment."
        )


def publish_to_embedded(aws: Aws, release: Release, environment: str) -> Aws:
    """Publish to an empty embedded AWS as the publisher role; returns it in a session of a launcher of the product."""
    from commands.common.embedded_sessions import launcher, publisher, role_prefix
    from commands.publishing import publish_everything
    from pipeline.catalog.spec.document import load_catalog

    publish_everything(publisher(aws, release, role_prefix(load_catalog())), release)
    return launcher(aws, release, launcher_name(environment))


def launcher_name(environment: str) -> str:
    """The first role in catalog.yaml that can launch an environment, by name."""
    from pipeline.catalog.spec.document import CATALOG, load_catalog
    from pipeline.errors import PipelineError
    from pipeline.parameters.profiles import display_path

    catalog = load_catalog()
    for product in catalog.products:
        if product.profile != environment:
            continue
        for principal in catalog.portfolio_of(product.key).principals:
            kind, _, name = principal.partition("/")
            if kind == "role" and not {"*", "?", "/"} & set(name):
                return name
    raise PipelineError(
        f"{display_path(CATALOG)} names no role that can launch {environment}; add one to the portfolio of its product."
    )


def launch_product(
    aws: Aws,
    environment: str,
    name: str,
    settings: Mapping[str, str],
    version: str,
    portfolio: str,
    tags: Mapping[str, str],
    examined: Release | None = None,
) -> None:
    """Launch from the product of an environment and print the result; exit status 1 after a failure.

    For ``examined``, the release of the working tree, the account is checked first. An empty embedded AWS needs no check.
    """
    from pipeline.environments.account.requirements import require_product_launch
    from pipeline.environments.provisioning.operations import DesiredEnvironment, launch

    own = {"Project": name.removesuffix(f"-{environment}"), "Environment": environment}
    wanted = DesiredEnvironment(
        name, product_of(environment).name, version, portfolio, settings, tags={**own, **tags}
    )
    if examined:
        require_product_launch(aws, examined, environment, wanted)
    ended = follow_operation(aws, lambda report, note: launch(aws, wanted, report, note))
    summary = "launched" if ended.changed else "is already launched"
    show_outputs(aws, name, f"{name} {summary} (version {ended.version})")


def update(
    environment: EnvironmentName,
    region: Region = DEFAULT_REGION,
    settings: Settings = [],  # noqa: B006 - Typer reads the default
    product_version: ProductVersion = "",
    portfolio: Portfolio = "",
    name: Name = "",
    accept_loss: AcceptLoss = [],  # noqa: B006 - Typer reads the default
    preview: PreviewOnly = False,
    yes: Yes = False,
) -> None:
    """Update an environment. Parameters that you do not set, and the version, stay the same."""
    given = parsed_settings(settings)
    consent = Consent(tuple(accept_loss), yes, preview)
    from pipeline.aws import Aws
    from pipeline.environments.provisioning.operations import DesiredEnvironment
    from pipeline.environments.provisioning.operations import update as run

    aws, name, product = Aws(region), name or default_name(environment), product_of(environment)
    wanted = DesiredEnvironment(name, product.name, product_version, portfolio, given)
    review = update_reviewer(aws, name, product.key, consent)
    ended = follow_operation(aws, lambda report, note: run(aws, wanted, report, note, review))
    summary = "updated" if ended.changed else "is up to date"
    show_outputs(aws, name, f"{name} {summary} (version {ended.version})")


def status(environment: EnvironmentName, region: Region = DEFAULT_REGION, name: Name = "") -> None:
    """Show status, version, last operation and stack."""
    from commands.common import show
    from pipeline.aws import Aws
    from pipeline.environments.provisioning.environments import existing_environment, summary

    aws, name = Aws(region), name or default_name(environment)
    show.pairs(console(), name, summary(aws, existing_environment(aws, name)))


def outputs(environment: EnvironmentName, region: Region = DEFAULT_REGION, name: Name = "") -> None:
    """Show the outputs of an environment."""
    from pipeline.aws import Aws

    name = name or default_name(environment)
    show_outputs(Aws(region), name, name)


def follow_operation(aws: Aws, run: Callable[[Report, Note], OperationResult]) -> OperationResult:
    """Show an operation's progress and return its result; exit status 1 after a failure."""
    from commands.common import show
    from pipeline.stacks.diagnosis.progress import ServiceWatch

    out = console()

    def note(text: str) -> None:
        # Log lines can contain square brackets, which are not styles.
        out.print(text, soft_wrap=True, markup=False)

    with show.Progress(out) as progress:
        ended = run(ServiceWatch(aws, progress, note), note)
    if not ended.succeeded:
        show.operation_failure(console(stderr=True), ended)
        raise typer.Exit(1)
    return ended


def show_outputs(aws: Aws, name: str, title: str) -> None:
    """Print the outputs of a provisioned product below a title."""
    from commands.common import show
    from pipeline.environments.provisioning import environments

    values = environments.outputs(aws, environments.existing_environment(aws, name))
    show.pairs(console(), title, values)


def product_of(environment: str) -> Product:
    """The product that launches an environment, by catalog.yaml."""
    from pipeline.catalog.spec.document import CATALOG, load_catalog
    from pipeline.errors import PipelineError
    from pipeline.parameters.profiles import display_path

    for product in load_catalog().products:
        if product.profile == environment:
            return product
    raise PipelineError(
        f"{display_path(CATALOG)} has no product of profile {environment!r}; add one, or launch with --direct."
    )


def default_name(environment: str) -> str:
    """The default name of an environment's provisioned product."""
    from pipeline.parameters.profiles import load_profile
    from pipeline.release.assemble import assemble

    return provisioned_name(load_profile(assemble().root, environment))


def provisioned_name(values: Mapping[str, str]) -> str:
    """The provisioned product's name: the same as the name of the stack of a launch without Service Catalog."""
    from pipeline.stacks.deploy import stack_name

    return stack_name(values)
