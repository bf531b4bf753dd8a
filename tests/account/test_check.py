"""`check` finds each planted problem of an account with its sentence, and none in a healthy account."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from commands.checking import environments
from commands.common.embedded_sessions import PERSON, user_without_permissions
from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.desired.bootstrap_stacks import bootstrap_stacks
from pipeline.catalog.observed.storage import TEMPLATE_TAG
from pipeline.catalog.spec.document import load_catalog
from pipeline.environments.account.check import LaunchPlan, check_launch, check_publication
from pipeline.environments.account.findings import Finding
from pipeline.environments.account.quota_table import PORTFOLIOS, PRODUCTS, QUOTAS
from pipeline.errors import PipelineError
from pipeline.paths import PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.account.problems import PROBLEMS, PROVIDER, Problem, Scene, certificate
from tests.conftest import REGION

GITHUB = {"GitHubRepository": "acme/carbon-connect"}


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedAws]:
    with EmbeddedAws.start(region=REGION) as running:
        yield running


@pytest.fixture(scope="module")
def accounts(running: EmbeddedAws) -> dict[str, Aws]:
    """The account by region; the clients are created once."""
    return {REGION: Aws(REGION, running.environment())}


@pytest.fixture
def scene(running: EmbeddedAws, accounts: dict[str, Aws]) -> Scene:
    running.reset()
    return Scene(running, accounts[REGION])


def examined(release: Release, scene: Scene, environment: str = "dev") -> tuple[Finding, ...]:
    plan = LaunchPlan(environment, scene.settings, bucket=scene.bucket)
    return check_launch(scene.aws, release, load_catalog(), plan)


def refused(found: tuple[Finding, ...]) -> dict[str, list[str]]:
    """The sentences of the lines that are no, by subject."""
    sentences: dict[str, list[str]] = {}
    for each in found:
        if each.holds is False:
            sentences.setdefault(each.subject, []).append(each.text)
    return sentences


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_planted_problem_is_found(problem: Problem, release: Release, scene: Scene) -> None:
    if problem.region != REGION:
        scene.aws = scene.elsewhere(problem.region)
    problem.plant(scene)
    found = refused(examined(release, scene, problem.environment))

    (*_, sentence) = found[problem.subject]
    for part in problem.says:
        assert part in sentence
    assert sentence.endswith((".", ")"))


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_quota_is_compared(environment: str, release: Release, scene: Scene) -> None:
    """Every quota is zero; the line names the quota, the use and the value to request."""
    scene.settings.update(GITHUB)
    if environment == "prod":
        scene.settings["CertificateArn"] = certificate(scene, REGION, "app.example.com")
    for quota in QUOTAS:
        scene.running.set_quota(quota.service, quota.code, 0)
    found = refused(examined(release, scene, environment))

    others = {"L-BBCDAECC"} if environment == "prod" else {"L-DFE45DF3"}
    for quota in QUOTAS:
        if quota.code not in others:
            (sentence,) = found[f"{quota.service} {quota.code}"]
            assert quota.name in sentence
            assert "of 0 in use" in sentence
            assert f"for quota {quota.code} of {quota.service} in" in sentence


def test_there_are_enough_problems() -> None:
    assert len(PROBLEMS) >= 25


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_healthy_account_has_no_problem(environment: str, release: Release, scene: Scene) -> None:
    if environment == "prod":
        scene.settings["CertificateArn"] = certificate(scene, REGION, "app.example.com")
    scene.settings.update(GITHUB)
    found = examined(release, scene, environment)

    assert {each.text for each in found if each.holds is not True} == set()


def test_check_only_reads_and_takes_less_than_five_seconds(
    release: Release, running: EmbeddedAws
) -> None:
    running.reset()
    called: list[str] = []
    aws = Aws(REGION, running.environment())
    for service in ("ec2", "iam", "kms", "s3", "logs", "ecs", "rds", "elasticache", "wafv2"):
        aws.client(service).meta.events.register(
            "before-call", lambda model, **_more: called.append(model.name)
        )
    started = time.process_time()
    check_launch(aws, release, load_catalog(), LaunchPlan("dev", {}))

    assert time.process_time() - started < 5
    assert called
    assert all(name.startswith(("Describe", "List", "Get", "Head")) for name in called)


def test_publication_in_a_healthy_account_has_no_problem(release: Release, scene: Scene) -> None:
    found = check_publication(scene.aws, release, load_catalog())

    assert all(each.holds for each in found)
    assert any("creates it" in each.text for each in found)


@pytest.mark.parametrize("quota", [PRODUCTS, PORTFOLIOS], ids=lambda quota: quota.name)
def test_publication_needs_quotas(quota: object, release: Release, scene: Scene) -> None:
    assert quota in {PRODUCTS, PORTFOLIOS}
    wanted = PRODUCTS if quota is PRODUCTS else PORTFOLIOS
    scene.running.set_quota(wanted.service, wanted.code, 2)
    found = refused(check_publication(scene.aws, release, load_catalog()))

    assert f"for quota {wanted.code}" in found[f"servicecatalog {wanted.code}"][0]


def test_publication_in_a_region_that_is_not_ready(release: Release, scene: Scene) -> None:
    found = refused(check_publication(scene.elsewhere("us-west-1"), release, load_catalog()))

    assert "2 in us-west-1" in found["region us-west-1"][0]


def test_launch_from_a_product_that_is_not_published(release: Release, scene: Scene) -> None:
    catalog = load_catalog()
    (product,) = (each for each in catalog.products if each.profile == "dev")
    found = refused(check_launch(scene.aws, release, catalog, LaunchPlan("dev", {}, product)))

    assert "`.venv/bin/python build.py publish`" in found[f"product {product.name}"][0]
    role = catalog.portfolio_of(product.key).launch_role
    assert found[f"launch role {role}"] == [
        "It does not exist. Run `.venv/bin/python build.py publish`."
    ]


def test_launch_role_of_another_release(release: Release, scene: Scene) -> None:
    catalog = load_catalog()
    (product,) = (each for each in catalog.products if each.profile == "dev")
    role = catalog.portfolio_of(product.key).launch_role
    (stack,) = (
        each.stack
        for each in bootstrap_stacks(release, catalog, {})
        if each.role and each.role.name == role
    )
    values = {"LaunchRoleName": role, "Environments": "dev,staging"}
    body = {
        "Parameters": {name: {"Type": "String"} for name in values},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    scene.aws.client("cloudformation").create_stack(
        StackName=stack,
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": key, "ParameterValue": text} for key, text in values.items()],
        Tags=[{"Key": TEMPLATE_TAG, "Value": "0123456789abcdef"}],
    )
    found = refused(check_launch(scene.aws, release, catalog, LaunchPlan("dev", {}, product)))

    (sentence,) = found[f"launch role {role}"]
    assert sentence.startswith("It is not that of this release: ")
    assert sentence.endswith("Run `.venv/bin/python build.py publish`.")


def user(aws: Aws, statement: Mapping[str, object] | None) -> Aws:
    """A user with one statement; without one, with the permission to assume roles only."""
    person = user_without_permissions(aws)
    if statement:
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("iam").put_user_policy(
            UserName=PERSON, PolicyName="some", PolicyDocument=document
        )
    return person


def test_each_missing_permission_is_named(release: Release, scene: Scene) -> None:
    allowed = {"Effect": "Allow", "Action": ["servicequotas:*", "ec2:*"], "Resource": "*"}
    aws = user(scene.aws, allowed)
    found = check_launch(aws, release, load_catalog(), LaunchPlan("dev", GITHUB))

    unknown = {each.subject: each.text for each in found if each.holds is None}
    assert "needs kms:ListAliases" in unknown["KMS alias alias/carbon-connect-dev"]
    assert "needs iam:ListOpenIDConnectProviders" in unknown["OIDC provider of GitHub"]
    assert "needs rds:DescribeDBInstances" in unknown["rds L-7B6409FD"]
    assert "vpc L-F678F1CE" not in unknown
    assert {each.word for each in found if each.holds is None} == {"cannot tell"}
    assert not refused(found)


def test_policy_in_the_documentation_is_complete(release: Release, scene: Scene) -> None:
    """With the policy of docs/access.md, no line lacks a permission."""
    page = (PROJECT_FOLDER / "docs" / "access.md").read_text(encoding="utf-8")
    block = page.partition("## Check\n")[2].partition("## taskcat")[0]
    document = "".join(line for line in block.splitlines() if line.startswith("    "))
    (statement,) = json.loads(document)["Statement"]
    assert all(
        action.partition(":")[2].startswith(("Describe", "Get", "List", "Search"))
        for action in statement["Action"]
    )
    aws = user(scene.aws, statement)
    catalog = load_catalog()
    (product,) = (each for each in catalog.products if each.profile == "dev")
    plans = [LaunchPlan("dev", GITHUB), LaunchPlan("dev", {}, product)]
    found = [each for plan in plans for each in check_launch(aws, release, catalog, plan)]

    assert [each for each in found if each.holds is None] == []
    assert all(each.holds for each in check_publication(aws, release, catalog))


def test_credentials_without_any_permission(release: Release, scene: Scene) -> None:
    aws = user(scene.aws, None)
    with pytest.raises(PipelineError, match=r"no permission to read the account.*docs/access.md"):
        check_launch(aws, release, load_catalog(), LaunchPlan("dev", {}))


def test_endpoint_that_does_not_answer(release: Release, scene: Scene) -> None:
    aws = Aws(REGION, {**scene.aws.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    with pytest.raises(PipelineError, match=r"check the network and AWS_ENDPOINT_URL"):
        check_launch(aws, release, load_catalog(), LaunchPlan("dev", {}))


def test_existing_provider_is_accepted(release: Release, scene: Scene) -> None:
    arn = scene.aws.client("iam").create_open_id_connect_provider(
        Url=f"https://{PROVIDER}", ClientIDList=["sts.amazonaws.com"]
    )["OpenIDConnectProviderArn"]
    scene.settings.update(GITHUB, GitHubOidcProviderArn=arn)
    found = {each.subject: each for each in examined(release, scene)}

    assert found["OIDC provider of GitHub"].holds


@pytest.fixture
def asked(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A profile whose credentials a program gives, as one that asks for a code; the file gets a line for each question."""
    asked, program = tmp_path / "asked", tmp_path / "program"
    keys = {
        "Version": 1,
        "AccessKeyId": scene.aws.environment["AWS_ACCESS_KEY_ID"],
        "SecretAccessKey": scene.aws.environment["AWS_SECRET_ACCESS_KEY"],
    }
    program.write_text(f"#!/bin/sh\necho asked >> {asked}\necho '{json.dumps(keys)}'\n")
    program.chmod(0o700)
    config = tmp_path / "config"
    config.write_text(f"[profile with-code]\ncredential_process = {program}\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "with-code")
    monkeypatch.setenv("AWS_ENDPOINT_URL", scene.running.endpoint_url)
    return asked


def test_check_asks_for_a_code_once(release: Release, asked: Path) -> None:
    """Roles and some quotas are in other regions than the launch."""
    check_launch(Aws("eu-west-1"), release, load_catalog(), LaunchPlan("dev", {}))

    assert asked.read_text().splitlines() == ["asked"]


def test_environments_of_several_regions_ask_for_a_code_once(asked: Path) -> None:
    environments([REGION, "eu-west-1", "us-east-1"])

    assert asked.read_text().splitlines() == ["asked"]
