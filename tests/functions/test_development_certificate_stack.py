"""The self-signed certificate in its template, and launched with a whole environment."""

import io
import json
import zipfile

import pytest
from cryptography import x509

from embedded_aws.server import EmbeddedAws
from pipeline.checks.render import Rendered, render
from pipeline.release.assemble import Release
from pipeline.template.intrinsic_functions import Scope
from templates_src.functions.development_certificate import handler
from tests.conftest import REGION
from tests.launches.environments import Environment
from tests.relations.text import text_of
from tests.rendering import id_of, ids_in, named, resources_of_type, role_statements

FUNCTION = "AWS::Lambda::Function"
ROLE = "DevelopmentCertificateRole"
CERTIFICATE = f"arn:aws:acm:{REGION}:111122223333:certificate/0a1b2c3d"
ZONE = "Z0123456789ABCDEFGHIJ"


def listens_with(rendered: Rendered) -> str:
    """The certificate of the HTTPS listener: a logical ID, or the given ARN."""
    listener = named(rendered, "HttpsListener")
    (certificate,) = listener.properties["Certificates"]
    return id_of(rendered, listener.layer, certificate["CertificateArn"])


@pytest.mark.parametrize(
    ("environment", "given", "certificate"),
    [
        ("dev", {}, "DevelopmentCertificate"),
        ("staging", {}, "DevelopmentCertificate"),
        ("dev", {"DomainName": "dev.example.com"}, "DevelopmentCertificate"),
        ("dev", {"DomainName": "dev.example.com", "HostedZoneId": ZONE}, "Certificate"),
        ("dev", {"CertificateArn": CERTIFICATE}, CERTIFICATE),
        (
            "dev",
            {
                "CertificateArn": CERTIFICATE,
                "DomainName": "dev.example.com",
                "HostedZoneId": ZONE,
            },
            CERTIFICATE,
        ),
        ("prod", {"CertificateArn": CERTIFICATE}, CERTIFICATE),
        (
            "prod",
            {"CertificateArn": "", "DomainName": "app.example.com", "HostedZoneId": ZONE},
            "Certificate",
        ),
    ],
)
def test_listener_has_the_created_certificate(
    release: Release, environment: str, given: dict[str, str], certificate: str
) -> None:
    rendered = render(release, environment, REGION, given)

    edge = rendered.layers["edge"]["Resources"]
    kinds = {"Certificate", "DevelopmentCertificate"}
    assert listens_with(rendered) == certificate
    assert kinds & edge.keys() == kinds & {certificate}
    made = {name for name in edge if name.startswith("DevelopmentCertificate")}
    assert bool(made) is (certificate == "DevelopmentCertificate")


@pytest.mark.parametrize(("environment", "made"), [("dev", True), ("prod", False)])
def test_prod_creates_none_even_without_its_rule(
    release: Release, environment: str, made: bool
) -> None:
    edge = json.loads(release.files["templates/edge.template.json"])
    values = {"Environment": environment, "CertificateArn": "", "HostedZoneId": ""}

    assert Scope(edge, values).condition("UseDevelopmentCertificate") is made


@pytest.mark.parametrize("domain", ["", "dev.example.com"])
def test_function_gets_the_names_of_the_environment(release: Release, domain: str) -> None:
    rendered = render(release, "dev", REGION, {"DomainName": domain})

    certificate = named(rendered, "DevelopmentCertificate")
    names = certificate.properties["DomainNames"]
    assert id_of(rendered, "edge", names[0]) == "LoadBalancer"
    assert names[1:] == ([domain] if domain else [])
    (target,) = named(rendered, "DevelopmentCertificateRenewal").properties["Targets"]
    assert ids_in(rendered, "edge", target["Input"]) == {"LoadBalancer", "DevelopmentCertificate"}
    assert domain in text_of(target["Input"])


def test_certificate_has_the_tag_of_its_stack(release: Release) -> None:
    edge = json.loads(release.files["templates/edge.template.json"])["Resources"]

    tags = edge["DevelopmentCertificate"]["Properties"]["Tags"]
    assert {"Key": "StackId", "Value": {"Ref": "AWS::StackId"}} in tags


OF_ENVIRONMENT = ("Project", "Environment")


def test_role_can_change_only_its_certificate(dev: Rendered) -> None:
    """Every statement names a resource of the stack, or limits its wildcard to the tag of the stack."""
    statements = [statement for _, statement in role_statements(dev, ROLE)]

    actions = {action for statement in statements for action in statement["Action"]}
    assert actions == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "acm:ImportCertificate",
        "acm:AddTagsToCertificate",
        "acm:DescribeCertificate",
        "acm:DeleteCertificate",
    }
    tags = {
        tag["Key"]: tag["Value"] for tag in named(dev, "DevelopmentCertificate").properties["Tags"]
    }
    for statement in statements:
        if statement["Sid"] == "WriteItsLog":
            assert ids_in(dev, "edge", statement["Resource"]) == {"DevelopmentCertificateLogGroup"}
            continue
        ((key, value),) = statement["Condition"]["StringEquals"].items()
        # A certificate of another environment cannot get this stack's tag.
        others = statement["Condition"].get("StringEqualsIfExists")
        assert bool(others) == key.startswith("aws:RequestTag/")
        assert others in (None, {f"aws:ResourceTag/{name}": tags[name] for name in OF_ENVIRONMENT})
        assert key in ("aws:RequestTag/StackId", "aws:ResourceTag/StackId")
        assert value == tags["StackId"]
        # Actions on an existing certificate require its tag.
        if {"acm:DeleteCertificate", "acm:DescribeCertificate"} & set(statement["Action"]):
            assert key == "aws:ResourceTag/StackId"


def test_functions_are_in_the_release(release: Release, rendered: Rendered) -> None:
    """Key, handler and time-outs of every function of every environment."""
    for function in resources_of_type(rendered, FUNCTION):
        properties = function.properties
        key = properties["Code"]["S3Key"].removeprefix(release.prefix)
        module = properties["Handler"].rpartition(".")[0].replace(".", "/") + ".py"
        with zipfile.ZipFile(io.BytesIO(release.files[key])) as archive:
            assert module in archive.namelist()
        group = id_of(rendered, function.layer, properties["LoggingConfig"]["LogGroup"])
        assert "RetentionInDays" in named(rendered, group).properties


def test_cloudformation_waits_longer_than_the_function_runs(dev: Rendered) -> None:
    certificate = named(dev, "DevelopmentCertificate").properties
    function = named(dev, id_of(dev, "edge", certificate["ServiceToken"])).properties

    assert int(function["Timeout"]) < int(certificate["ServiceTimeout"]) <= 900


def test_only_the_schedule_may_invoke_the_function(dev: Rendered) -> None:
    permissions = [
        found.properties
        for found in resources_of_type(dev, "AWS::Lambda::Permission")
        if id_of(dev, found.layer, found.properties["FunctionName"])
        == "DevelopmentCertificateFunction"
    ]

    (permission,) = permissions
    assert permission["Principal"] == "events.amazonaws.com"
    assert id_of(dev, "edge", permission["SourceArn"]) == "DevelopmentCertificateRenewal"


def test_schedule_runs_three_times_before_a_certificate_expires(dev: Rendered) -> None:
    expression = named(dev, "DevelopmentCertificateRenewal").properties["ScheduleExpression"]

    days = int(expression.removeprefix("rate(").removesuffix(" days)"))
    assert handler.RENEW_BEFORE.days // days >= 3


def certificates(environment: Environment) -> set[str]:
    """The ARN of every certificate of the account."""
    listed = environment.client("acm").list_certificates()["CertificateSummaryList"]
    return {each["CertificateArn"] for each in listed}


def names(environment: Environment, arn: str) -> list[str]:
    """The names that a client of the certificate accepts."""
    held = environment.client("acm").get_certificate(CertificateArn=arn)["Certificate"]
    certificate = x509.load_pem_x509_certificate(held.encode())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return extension.value.get_values_for_type(x509.DNSName)


def certificate_of_listener(environment: Environment) -> str:
    arn = environment.physical_id("Edge.HttpsListener")
    described = environment.client("elbv2").describe_listeners(ListenerArns=[arn])
    (certificate,) = described["Listeners"][0]["Certificates"]
    return str(certificate["CertificateArn"])


def test_launched_updated_and_deleted(embedded: EmbeddedAws, release: Release) -> None:
    """Without settings, then with another name, then with a certificate, then without it again."""
    environment = Environment(embedded, release, "dev")
    assert environment.launch().succeeded
    host = environment.outputs()["LoadBalancerDnsName"]
    first = environment.physical_id("Edge.DevelopmentCertificate")
    assert certificate_of_listener(environment) == first
    assert certificates(environment) == {first}
    assert names(environment, first) == [host]

    assert environment.launch(DomainName="dev.example.com").succeeded
    assert certificate_of_listener(environment) == first
    assert names(environment, first) == [host, "dev.example.com"]

    given = environment.client("acm").request_certificate(DomainName="dev.example.com")
    assert environment.launch(CertificateArn=given["CertificateArn"]).succeeded
    assert certificate_of_listener(environment) == given["CertificateArn"]
    assert certificates(environment) == {given["CertificateArn"]}
    assert "Edge.DevelopmentCertificateFunction" not in environment.resources()

    assert environment.launch().succeeded
    second = environment.physical_id("Edge.DevelopmentCertificate")
    assert certificate_of_listener(environment) == second
    assert certificates(environment) == {given["CertificateArn"], second}

    assert environment.delete().succeeded
    assert certificates(environment) == {given["CertificateArn"]}


def test_schedule_reaches_the_deployed_function(embedded: EmbeddedAws, release: Release) -> None:
    """The function receives the input of the rule, like from EventBridge."""
    environment = Environment(embedded, release, "dev")
    assert environment.launch().succeeded
    rule = environment.physical_id("Edge.DevelopmentCertificateRenewal").rpartition("/")[2]
    (target,) = environment.client("events").list_targets_by_rule(Rule=rule)["Targets"]

    answer = environment.client("lambda").invoke(
        FunctionName=target["Arn"], Payload=target["Input"].encode()
    )

    assert "FunctionError" not in answer
    assert b'"Renewed": false' in answer["Payload"].read()
