"""Examine an account before a launch or a publication: read-only calls, in parallel, one line for each point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from pipeline.aws import Aws, aws_errors
from pipeline.catalog.spec.model import Catalog, Product
from pipeline.checks.render import Rendered, render, render_values
from pipeline.environments.account import certificates, names, places, publication, quota, usage
from pipeline.environments.account.findings import Finding, cannot_tell, no, yes
from pipeline.environments.account.launch_checks import launch_findings
from pipeline.environments.account.needs import Need, Needs, flat
from pipeline.environments.account.quota import Quota
from pipeline.environments.account.quota_table import PORTFOLIOS, PRODUCTS, QUOTAS
from pipeline.environments.deletion.account import Account, UnreadableError
from pipeline.environments.provisioning.environments import find_environment
from pipeline.errors import PipelineError
from pipeline.parameters.profiles import load_profile, resolve
from pipeline.paths import PARAMETERS
from pipeline.release.assemble import Release
from pipeline.release.upload import release_bucket_name
from pipeline.stacks.deploy import describe_stack, stack_name
from pipeline.stacks.entry_points import is_updatable
from templates_src.core.parameters.shared import RELEASE_BUCKET
from templates_src.functions.launch_check.service_linked_roles import SERVICES

# The calls that are open at the same time.
_PARALLEL = 24
_CLIENTS = (
    *("acm", "autoscaling", "cloudformation", "ec2", "ecs", "elasticache", "elbv2", "events"),
    *("iam", "kms", "lambda", "logs", "rds", "route53", "s3", "service-quotas", "servicecatalog"),
    *("sts", "wafv2"),
)
GIVEN_PROVIDER = "GitHubOidcProviderArn"
Line = Callable[[], "Finding | Iterable[Finding] | None"]


@dataclass(frozen=True)
class LaunchPlan:
    """A launch to examine: the environment, the values of ``--set``, and how it is launched.

    ``product`` is the product of the environment, None for a launch with ``--direct``. ``bucket`` is the release bucket that the user
    names, ``name`` and ``portfolio`` the provisioned product and the portfolio; all can be empty.
    """

    environment: str
    settings: Mapping[str, str]
    product: Product | None = None
    bucket: str = ""
    name: str = ""
    portfolio: str = ""


def check_launch(
    aws: Aws, release: Release, catalog: Catalog, plan: LaunchPlan
) -> tuple[Finding, ...]:
    """Every line about a launch.

    Raises PipelineError for a setting that is not valid, for an endpoint that does not answer, and for credentials that can read
    nothing.
    """
    account = aws.account()
    bucket = plan.bucket or release_bucket_name(account, aws.region)
    given = {RELEASE_BUCKET.name: bucket, **plan.settings}
    values = resolve(release.root, load_profile(release.root, plan.environment), given)
    own = [*_publication_lines(aws, release, catalog, plan, account, bucket)]
    rendered, problem = rendered_launch(release, aws.region, plan, values)
    lines: list[Line] = [] if problem is None else [lambda: problem]
    name = plan.name or stack_name(values)
    exists, existing = existing_environment(aws, name, plan)
    lines += [lambda: existing, *own]
    if rendered is not None and not exists:
        lines += environment_lines(aws, release, rendered, values)
    found = run(aws, lines)
    require_readable(found)
    return tuple(found)


def check_publication(aws: Aws, release: Release, catalog: Catalog) -> tuple[Finding, ...]:
    """Every line about a publication to a region. Raises PipelineError as `check_launch` does."""
    account = aws.account()
    home = aws.in_region(catalog.regions[0])
    profiles = sorted({each.profile for each in catalog.products if each.profile})
    portfolios = frozenset(each.key for each in catalog.portfolios)
    lines: list[Line] = [
        lambda: places.readiness_of_profiles(release, aws.region, profiles, PARAMETERS),
        lambda: publication.release_bucket(aws, release_bucket_name(account, aws.region), account),
        lambda: publication.launch_roles(home, release, catalog, portfolios, publishing=True),
    ]
    lines += publication_quotas(
        aws,
        products=publication.missing_products(aws, catalog),
        portfolios=publication.missing_portfolios(aws, catalog),
    )
    found = run(aws, [*region_lines(aws), *lines])
    require_readable(found)
    return tuple(found)


def publication_quotas(aws: Aws, *, products: int, portfolios: int) -> list[Line]:
    """The lines about the quotas of Service Catalog, for a publication that creates so many products and portfolios."""
    needs = {PRODUCTS: flat(products), PORTFOLIOS: flat(portfolios)}
    return quota_lines(aws, needs, "the publication")


def rendered_launch(
    release: Release, region: str, plan: LaunchPlan, values: Mapping[str, str]
) -> tuple[Rendered | None, Finding | None]:
    """The rendered environment, and the line about values that a rule refuses.

    An environment of prod without a certificate is rendered with an example one, so that the other lines follow.
    """
    try:
        return render_values(release, plan.environment, region, values), None
    except PipelineError as error:
        problem = no("values", str(error))
    try:
        return render(release, plan.environment, region, plan.settings), problem
    except PipelineError:
        return None, problem


def existing_environment(aws: Aws, name: str, plan: LaunchPlan) -> tuple[bool, Finding]:
    """Whether an environment with this name is launched, and the line about the name."""
    subject = f"environment {name}"
    if plan.product is not None:
        found, missing = publication.told(
            subject,
            "servicecatalog:DescribeProvisionedProduct",
            lambda: (find_environment(aws, name),),
        )
        if found is None:
            return False, missing
        if found[0] is None:
            return False, yes(subject, "No provisioned product has this name.")
        if found[0].was_launched:
            return True, yes(
                subject,
                f"It is launched already ({found[0].status}): `update --preview` shows what an update changes.",
            )
        return False, no(
            subject,
            f"Its launch has failed ({found[0].status}): `launch` removes it first, or run `terminate`.",
            stops=False,
        )
    stack, missing = publication.told(
        subject, "cloudformation:DescribeStacks", lambda: (describe_stack(aws, name),)
    )
    if stack is None:
        return False, missing
    if stack[0] is None:
        return False, yes(subject, "No stack has this name.")
    status = stack[0]["StackStatus"]
    if is_updatable(status):
        return True, yes(
            subject,
            f"It is launched already ({status}): `launch --direct --preview` shows what an update changes.",
        )
    return False, no(
        subject,
        f"A stack with this name is in {status}: run `why` for the reason, and `delete` it, or choose another Project.",
        stops=False,
    )


def _publication_lines(
    aws: Aws, release: Release, catalog: Catalog, plan: LaunchPlan, account: str, bucket: str
) -> Iterator[Line]:
    wanted = plan.product
    if wanted is None:
        is_named = bool(plan.bucket)
        yield lambda: publication.release_bucket(aws, bucket, account, is_named=is_named)
        return
    home = aws.in_region(catalog.regions[0])
    offered = frozenset({catalog.portfolio_of(wanted.key).key})
    yield lambda: publication.product(aws, release, wanted.name, plan.portfolio)
    yield lambda: publication.launch_roles(home, release, catalog, offered)


def environment_lines(
    aws: Aws, release: Release, rendered: Rendered, values: Mapping[str, str]
) -> list[Line]:
    """The lines about a new environment: region, zones, names, certificate, LaunchCheck's checks, roles and quota."""
    needs = Needs(rendered)

    def account() -> Account:
        return Account(aws)

    lines: list[Line] = [
        *region_lines(aws),
        lambda: places.readiness(release, rendered),
        lambda: places.zones(needs, account()),
        lambda: certificates.certificate(values, aws.region, account()),
        lambda: list(launch_findings(aws, values)),
        lambda: names.oidc_provider(needs, values.get(GIVEN_PROVIDER, ""), account()),
        lambda: service_linked_roles(account()),
    ]
    for named in names.NAMED:
        lines.append(partial(_names, needs, named, aws))
    wanted = {each: each.need(needs) for each in QUOTAS}
    return [*lines, *quota_lines(aws, wanted, rendered.environment)]


def _names(needs: Needs, named: names.Named, aws: Aws) -> list[Finding]:
    return list(names.taken_names(needs, named, Account(aws)))


def region_lines(aws: Aws) -> list[Line]:
    """The line about the region in the account, which a region that is always on answers."""
    place = quota.home_of(aws.region)
    return [lambda: places.opted_in(aws.region, Account(aws.in_region(place)))]


def quota_lines(aws: Aws, wanted: Mapping[Quota, Need], environment: str) -> list[Line]:
    """A line for each quota that the environment needs; each service's quotas are read once."""
    needed = {each: need for each, need in wanted.items() if need.at_largest}
    codes: dict[tuple[str, str], set[str]] = {}
    for each in needed:
        codes.setdefault((quota.place_of(each, aws.region), each.service), set()).add(each.code)
    read = {
        place: _Once(partial(quota.limits, aws.in_region(place[0]), place[1], frozenset(found)))
        for place, found in codes.items()
    }
    return [
        *(once.start for once in read.values()),
        *(
            partial(
                quota.finding,
                each,
                quota.place_of(each, aws.region),
                environment,
                need,
                read[quota.place_of(each, aws.region), each.service].result,
                Account(aws),
            )
            for each, need in needed.items()
        ),
    ]


class _Once:
    """A read that several lines wait for. `start` is a line without a finding, which runs before theirs."""

    def __init__(self, read: Callable[[], Mapping[str, float]]) -> None:
        self._read = read
        self._done: Future[Mapping[str, float]] = Future()

    def start(self) -> None:
        """Read, and keep the answer or the error."""
        try:
            self._done.set_result(self._read())
        except BaseException as error:
            self._done.set_exception(error)

    def result(self) -> Mapping[str, float]:
        """The answer. Raises the error of the read."""
        return self._done.result()


def service_linked_roles(account: Account) -> Finding:
    """The service-linked roles that exist; the first launch creates the missing ones."""
    subject = "service-linked roles"
    listed = usage.listing("iam:ListRoles", "list_roles", "Roles", PathPrefix="/aws-service-role/")
    try:
        paths = [str(each["Path"]) for each in listed.entries(account)]
    except UnreadableError as error:
        return cannot_tell(subject, f"The roles of the account are not known: {error}.")
    missing = [each for each in SERVICES if f"/aws-service-role/{each}/" not in paths]
    if not missing:
        return yes(subject, "They exist.")
    return yes(subject, f"The launch creates those of {', '.join(missing)}.")


def run(aws: Aws, lines: Sequence[Line], services: Sequence[str] = _CLIENTS) -> list[Finding]:
    """Run all lines in parallel; their findings in the order of the lines. Raises PipelineError where AWS does not answer."""
    for service in services:
        # boto3 does not create clients in parallel.
        aws.client(service)
    with aws_errors("read the account"), ThreadPoolExecutor(_PARALLEL) as pool:
        return [each for found in pool.map(findings_of, lines) for each in found]


def findings_of(line: Line) -> list[Finding]:
    """The findings of one line."""
    found = line()
    if found is None:
        return []
    return [found] if isinstance(found, Finding) else list(found)


def require_readable(found: Sequence[Finding]) -> None:
    """Raise PipelineError for credentials without any permission: no quota and no name is known."""
    known = [each for each in found if " L-" in each.subject]
    if known and all(each.holds is None for each in known):
        raise PipelineError(
            "These credentials have no permission to read the account; use a role with the policy of `check` in docs/access.md."
        )
