"""The self-signed certificate: its content, and its life in ACM from import to deletion."""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from embedded_aws.server import EmbeddedAws
from templates_src.functions.custom_resource import MalformedEventError, ProvisioningError
from templates_src.functions.development_certificate import handler as function
from templates_src.functions.development_certificate import self_signed as made
from templates_src.functions.development_certificate.self_signed import SelfSigned, self_signed
from tests.functions.cloudformation import Answers, Context

HOST = "carbon-dev-1a2b.eu-north-1.elb.amazonaws.com"
LONG = "carbon-connect-dev-1a2b3c4d5e6f7-1234567890.ap-southeast-1.elb.amazonaws.com"
AMPLE = Context(60)
# The function reserves ten seconds for its response, eight for that of the watchdog.
SHORT, ALL_BUT_OVER = Context(10.5), Context(8.3)
TAGS = [{"Key": "Project", "Value": "carbon"}, {"Key": "StackId", "Value": "arn:stack/1"}]
WANTED = {"DomainNames": [HOST], "Environment": "dev", "Tags": TAGS}


@pytest.fixture(autouse=True)
def no_key_in_sight(
    answers: Answers,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """In every test, no key is in a response or, at Lambda's level, in a log."""
    caplog.set_level(logging.INFO)
    keys: list[bytes] = []

    def remembering(names: list[str]) -> SelfSigned:
        certificate = self_signed(names)
        keys.append(certificate.private_key)
        return certificate

    monkeypatch.setattr(function, "self_signed", remembering)
    yield
    printed = capfd.readouterr()
    # In this phase, caplog.text has the log of the teardown and not of the test.
    logged = "".join(record.getMessage() for record in caplog.get_records("call"))
    said = str(answers.taken) + logged + printed.out + printed.err
    assert "PRIVATE KEY" not in said
    for key in keys:
        assert key.split(b"\n")[1].decode() not in said


@pytest.fixture
def acm(client: Callable[..., Any]) -> Any:
    return client("acm")


@pytest.fixture
def created(acm: Any, answers: Answers) -> str:
    """The ARN of a certificate that the function has made."""
    del acm
    function.handler(answers.event("Create", WANTED), AMPLE)
    arn = str(answers.only["PhysicalResourceId"])
    answers.taken.clear()
    return arn


@pytest.fixture
def in_use(client: Callable[..., Any], created: str) -> Iterator[Callable[[], None]]:
    """Let a listener use the certificate; the returned function releases it."""
    ec2, balancing = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24")["Subnet"]["SubnetId"]
        for n in (1, 2)
    ]
    balancer = balancing.create_load_balancer(Name="in-use", Subnets=subnets)["LoadBalancers"][0]
    listener = balancing.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": created}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
    )["Listeners"][0]["ListenerArn"]
    yield lambda: balancing.delete_listener(ListenerArn=listener)
    balancing.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])


def read(certificate: SelfSigned) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.certificate)


def imported(acm: Any, arn: str) -> x509.Certificate:
    """The certificate in ACM."""
    text = acm.get_certificate(CertificateArn=arn)["Certificate"]
    return x509.load_pem_x509_certificate(text.encode())


def extension(certificate: x509.Certificate, kind: Any) -> Any:
    return certificate.extensions.get_extension_for_class(kind)


def arns(acm: Any) -> set[str]:
    listed = acm.get_paginator("list_certificates").paginate()
    return {each["CertificateArn"] for page in listed for each in page["CertificateSummaryList"]}


def test_certificate_is_a_self_signed_server_certificate() -> None:
    certificate = read(self_signed([HOST, "dev.example.com"]))

    certificate.verify_directly_issued_by(certificate)
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert certificate.version is x509.Version.v3
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha256"
    names = extension(certificate, x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [HOST, "dev.example.com"]
    constraints = extension(certificate, x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    usage = extension(certificate, x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature) == (True, True)
    assert (usage.value.key_cert_sign, usage.value.key_encipherment) == (False, False)
    assert list(extension(certificate, x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    assert extension(certificate, x509.SubjectKeyIdentifier).value == (
        x509.SubjectKeyIdentifier.from_public_key(key)
    )


def test_validity_is_the_longest_that_every_client_accepts() -> None:
    certificate, now = read(self_signed([HOST])), datetime.now(UTC)

    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    # Both ends count.
    assert ends - begins + timedelta(seconds=1) == timedelta(days=825)
    assert timedelta() < now - begins < timedelta(minutes=6)


@pytest.mark.parametrize(
    ("name", "shown"), [(HOST, HOST), (LONG, "*.ap-southeast-1.elb.amazonaws.com")]
)
def test_common_name_fits(name: str, shown: str) -> None:
    certificate = read(self_signed([name]))

    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [each.value for each in common] == [shown]
    assert certificate.issuer == certificate.subject
    names = extension(certificate, x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [name]


def test_key_matches_and_is_new_each_time() -> None:
    first, second = self_signed([HOST]), self_signed([HOST])

    key = load_pem_private_key(first.private_key, password=None)
    assert key.public_key() == read(first).public_key()
    assert read(first).public_key() != read(second).public_key()
    assert read(first).serial_number != read(second).serial_number
    assert "PRIVATE KEY" not in repr(first)


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_handshake(tmp_path: Path, trusted: bool) -> None:
    """A client that trusts it, as strict as Python 3.13's, connects; any other refuses."""
    certificate = self_signed([LONG])
    chain, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate.certificate)
    key.write_bytes(certificate.private_key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    client = ssl.create_default_context()
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    if trusted:
        client.load_verify_locations(chain)

    reason = shake_hands(server, client, LONG)

    assert reason == (None if trusted else "self-signed certificate")


def test_tls_client_refuses_another_name(tmp_path: Path) -> None:
    certificate = self_signed([HOST])
    chain, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate.certificate)
    key.write_bytes(certificate.private_key)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    client = ssl.create_default_context(cafile=str(chain))

    reason = shake_hands(server, client, "other.eu-north-1.elb.amazonaws.com")

    assert reason is not None
    assert "Hostname mismatch" in reason


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """The reason for which the client refuses the server, or None."""
    ends = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(ends[0], server_side=True).close()
        except OSError:
            ends[0].close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        client.wrap_socket(ends[1], server_hostname=name).close()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    finally:
        ends[1].close()
        thread.join()
    return None


def test_create_imports_with_tags(acm: Any, answers: Answers) -> None:
    function.handler(answers.event("Create", WANTED), AMPLE)

    answer = answers.only
    assert answer["Status"] == "SUCCESS"
    arn = answer["PhysicalResourceId"]
    described = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert described["Type"] == "IMPORTED"
    assert described["KeyAlgorithm"] == "EC_prime256v1"
    assert described["DomainName"] == HOST
    assert answer["Data"] == {"Expires": described["NotAfter"].astimezone(UTC).isoformat()}
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == TAGS


def test_update_keeps_the_arn(acm: Any, answers: Answers, created: str) -> None:
    before = imported(acm, created)
    wanted = {
        "DomainNames": [HOST.upper(), "dev.example.com"],
        "Environment": "staging",
        "Tags": [*TAGS, {"Key": "Name", "Value": "new"}],
    }

    function.handler(answers.event("Update", wanted, PhysicalResourceId=created), AMPLE)

    assert answers.only["Status"] == "SUCCESS"
    assert answers.only["PhysicalResourceId"] == created
    after = imported(acm, created)
    assert after.public_key() != before.public_key()
    names = extension(after, x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [HOST, "dev.example.com"]
    tags = acm.list_tags_for_certificate(CertificateArn=created)["Tags"]
    assert tags == wanted["Tags"]


def test_update_keeps_the_listener(
    acm: Any, answers: Answers, created: str, in_use: Callable[[], None]
) -> None:
    users = acm.describe_certificate(CertificateArn=created)["Certificate"]["InUseBy"]

    function.handler(answers.event("Update", WANTED, PhysicalResourceId=created), AMPLE)

    assert answers.only["Status"] == "SUCCESS"
    assert len(users) == 1
    assert acm.describe_certificate(CertificateArn=created)["Certificate"]["InUseBy"] == users
    in_use()


def test_update_of_a_missing_certificate_is_refused(
    acm: Any, answers: Answers, created: str
) -> None:
    acm.delete_certificate(CertificateArn=created)

    function.handler(answers.event("Update", WANTED, PhysicalResourceId=created), AMPLE)

    assert answers.only["Status"] == "FAILED"
    assert "ACM refused ImportCertificate: ResourceNotFoundException" in answers.only["Reason"]
    assert answers.only["PhysicalResourceId"] == created


def test_delete_waits_for_the_listener(
    acm: Any,
    answers: Answers,
    created: str,
    in_use: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The listener releases it during the second wait."""
    monkeypatch.setattr(function, "RETRY_SECONDS", 0.05)
    waits: list[str] = []

    class LetGo(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert created in arns(acm)
            waits.append(record.getMessage())
            if len(waits) == 2:
                in_use()

    letting_go = LetGo()
    function.LOGGER.addHandler(letting_go)
    try:
        function.handler(answers.event("Delete", WANTED, PhysicalResourceId=created), AMPLE)
    finally:
        function.LOGGER.removeHandler(letting_go)

    assert waits == [f"{created}: ResourceInUseException, trying again"] * 2
    assert answers.only["Status"] == "SUCCESS"
    assert created not in arns(acm)


def test_delete_fails_if_the_listener_keeps_the_certificate(
    acm: Any,
    answers: Answers,
    created: str,
    in_use: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(function, "RETRY_SECONDS", 0.1)

    function.handler(answers.event("Delete", WANTED, PhysicalResourceId=created), SHORT)

    assert answers.only["Status"] == "FAILED"
    assert "ResourceInUseException" in answers.only["Reason"]
    assert "a listener may still use it" in answers.only["Reason"]
    assert "trying again" in caplog.text
    assert created in arns(acm)
    in_use()


@pytest.mark.parametrize("physical_id", ["created", function.PHYSICAL_ID])
def test_delete_of_a_missing_certificate_succeeds(
    acm: Any, answers: Answers, created: str, physical_id: str
) -> None:
    """A user deleted it, or it was never imported, for example after a failed Create."""
    given = created if physical_id == "created" else physical_id
    acm.delete_certificate(CertificateArn=created)

    function.handler(answers.event("Delete", {}, PhysicalResourceId=given), AMPLE)

    assert answers.only["Status"] == "SUCCESS"
    assert answers.only["PhysicalResourceId"] == given


def test_delete_needs_no_valid_properties(acm: Any, answers: Answers, created: str) -> None:
    """Every created resource can be removed, also in prod."""
    event = answers.event("Delete", {"Environment": "prod"}, PhysicalResourceId=created)

    function.handler(event, AMPLE)

    assert answers.only["Status"] == "SUCCESS"
    assert created not in arns(acm)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({**WANTED, "Environment": "prod"}, "A prod environment takes no self-signed certificate"),
        ({"DomainNames": [HOST]}, "Environment is missing"),
        ({"Environment": "dev"}, "DomainNames must be a list"),
        ({**WANTED, "DomainNames": []}, "DomainNames must be a list"),
        ({**WANTED, "DomainNames": HOST}, "DomainNames must be a list"),
        ({**WANTED, "DomainNames": [HOST, "no host"]}, "'no host', which is no host name"),
        ({**WANTED, "DomainNames": ["localhost"]}, "'localhost', which is no host name"),
        ({**WANTED, "DomainNames": ["a." * 127 + "example"]}, "which is no host name"),
        ({**WANTED, "Tags": {"Project": "carbon"}}, "Tags must be a list of Key and Value"),
        ("none", "The event has no ResourceProperties"),
    ],
)
@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_wrong_properties_are_refused(
    acm: Any, answers: Answers, properties: Any, reason: str, kind: str
) -> None:
    before = arns(acm)

    function.handler(answers.event(kind, properties), AMPLE)

    assert answers.only["Status"] == "FAILED"
    assert reason in answers.only["Reason"]
    assert arns(acm) == before


def test_an_event_without_an_address_is_malformed(lambda_environment: EmbeddedAws) -> None:
    del lambda_environment
    with pytest.raises(MalformedEventError):
        function.handler({"RequestType": "Create", "ResourceProperties": WANTED}, AMPLE)


def test_silent_acm_is_answered_in_time(
    answers: Answers, lambda_environment: EmbeddedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    del lambda_environment
    impatient = function.CLIENT.merge(Config(read_timeout=1, retries={"total_max_attempts": 1}))
    monkeypatch.setattr(function, "CLIENT", impatient)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")

        function.handler(answers.event("Create", WANTED), ALL_BUT_OVER)

    assert answers.only["Status"] == "FAILED"
    assert "time ran out" in answers.only["Reason"]
    assert answers.only["PhysicalResourceId"] == function.PHYSICAL_ID


def test_unreachable_acm_is_named(
    answers: Answers,
    lambda_environment: EmbeddedAws,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del lambda_environment
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")

    function.handler(answers.event("Create", WANTED), AMPLE)

    assert answers.only["Status"] == "FAILED"
    assert "ACM could not be reached for ImportCertificate" in answers.only["Reason"]


@pytest.mark.parametrize(("days", "due"), [(89, True), (91, False)])
def test_schedule_renews_a_due_certificate(
    acm: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch, days: int, due: bool
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(made, "VALIDITY", timedelta(days=days))
        function.handler(answers.event("Create", WANTED), AMPLE)
    arn = answers.only["PhysicalResourceId"]
    before = imported(acm, arn)

    did = function.handler(
        {"Renew": {"CertificateArn": arn, "DomainNames": [HOST], "Environment": "dev"}}, AMPLE
    )

    after = imported(acm, arn)
    assert did == {"Renewed": due, "Expires": after.not_valid_after_utc.isoformat()}
    assert (after != before) is due


def test_schedule_reports_failures(acm: Any, created: str) -> None:
    acm.delete_certificate(CertificateArn=created)
    wanted = {"CertificateArn": created, "DomainNames": [HOST], "Environment": "dev"}

    with pytest.raises(ProvisioningError, match="ResourceNotFoundException"):
        function.handler({"Renew": wanted}, AMPLE)
    with pytest.raises(ProvisioningError, match="A prod environment"):
        function.handler({"Renew": {**wanted, "Environment": "prod"}}, AMPLE)
