"""The check of the hosted zone, with Route 53 of the embedded AWS and a DNS resolver on loopback."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from templates_src.functions.launch_check import dns
from templates_src.functions.launch_check.hosted_zone import zone_is_delegated
from templates_src.functions.launch_check.launch import Launch
from tests.functions.dns_server import REFUSED, SERVER_FAILURE, Resolver, resolving

ROOT = "arn:aws:cloudformation:eu-north-1:111122223333:stack/carbon-connect-dev/1"
ZONE, DOMAIN = "example.com", "app.example.com"
OTHERS = ["ns1.registrar.example", "ns2.registrar.example"]

Check = Callable[..., "str | None"]


@pytest.fixture
def zone(client: Any) -> str:
    """A public zone."""
    made = client("route53").create_hosted_zone(Name=ZONE, CallerReference=str(uuid4()))
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


@pytest.fixture
def servers(client: Any, zone: str) -> list[str]:
    """The name servers of the zone."""
    found = client("route53").get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    return [str(each) for each in found]


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    with resolving() as running:
        yield running


@pytest.fixture
def check(client: Any, zone: str, resolver: Resolver) -> Check:
    """Checks a creation, or an update from ``before``, with other values."""

    def checked(before: dict[str, str] | None = None, **values: str) -> str | None:
        given = {"HostedZoneId": zone, "DomainName": DOMAIN, "CertificateArn": "", **values}
        launch = Launch(
            given, before or {}, before is None, ROOT, client, resolvers=[resolver.address]
        )
        found = zone_is_delegated(launch)
        # What custom_resource.py keeps of a reason.
        assert found is None or len(found) <= 600
        return found

    return checked


def test_delegated_zone_is_let_through(
    check: Check, resolver: Resolver, servers: list[str]
) -> None:
    resolver.zones[ZONE] = [each.upper() for each in servers]
    assert check() is None
    assert check(DomainName=ZONE) is None
    # A change of the delegation spreads: a resolver can still know one of the former servers.
    resolver.zones[ZONE] = [servers[0], *OTHERS]
    assert check() is None


def test_zone_of_other_servers_is_refused(
    check: Check, resolver: Resolver, servers: list[str]
) -> None:
    resolver.zones[ZONE] = OTHERS
    found = check() or ""
    assert "HostedZoneId" in found
    assert OTHERS[0] in found
    assert all(each.rstrip(".") in found for each in servers)


def test_zone_without_servers_is_refused(check: Check, resolver: Resolver) -> None:
    assert "has none that answers" in (check() or "")
    resolver.zones[ZONE] = []
    assert "has none that answers" in (check() or "")


def test_zone_whose_servers_do_not_know_it_is_refused(check: Check, resolver: Resolver) -> None:
    """After a zone is created again, its former servers refuse the question and the resolver fails."""
    resolver.zones[ZONE] = SERVER_FAILURE
    assert "has none that answers" in (check() or "")
    assert resolver.asked == [ZONE, ZONE, ""]


@pytest.mark.parametrize(
    "settings",
    [
        {"zones": {ZONE: REFUSED}},
        {"noise": b""},
        {"noise": b"\0" * 12},
        {"noise": b"\xff" * 64},
    ],
    ids=str,
)
def test_resolver_that_cannot_tell_refuses_nothing(
    client: Any, zone: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "TIMEOUT_SECONDS", 0.2)
    values = {"HostedZoneId": zone, "DomainName": DOMAIN}
    with resolving(**settings) as broken:
        for resolvers in ([broken.address], []):
            assert zone_is_delegated(Launch(values, {}, True, ROOT, client, resolvers)) is None


def test_resolver_that_is_away_refuses_nothing(client: Any, zone: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = taken.getsockname()
    values = {"HostedZoneId": zone, "DomainName": DOMAIN}
    assert zone_is_delegated(Launch(values, {}, True, ROOT, client, [address])) is None


def test_second_resolver_answers_for_the_first(
    resolver: Resolver, servers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "TIMEOUT_SECONDS", 0.2)
    resolver.zones[ZONE] = servers
    with resolving(noise=b"") as broken:
        assert dns.name_servers(ZONE, [broken.address, resolver.address])


def test_records_of_another_name_do_not_count(
    check: Check, resolver: Resolver, servers: list[str]
) -> None:
    """As of the target of a CNAME record."""
    resolver.zones[ZONE] = servers
    resolver.owner = "elsewhere.example.net"
    assert "has none that answers" in (check() or "")


def test_long_answer_comes_over_tcp(check: Check, resolver: Resolver, servers: list[str]) -> None:
    resolver.long = True
    resolver.zones[ZONE] = servers
    assert check() is None
    assert resolver.asked == [ZONE, ZONE]


def test_white_label_servers_are_those_of_the_zones_record(
    check: Check, resolver: Resolver, client: Any, zone: str
) -> None:
    record = {
        "Name": ZONE,
        "Type": "NS",
        "TTL": 60,
        "ResourceRecords": [{"Value": each} for each in ("ns1.example.com.", "ns2.example.com.")],
    }
    client("route53").change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
    )
    resolver.zones[ZONE] = ["ns1.example.com", "ns2.example.com"]
    assert check() is None


def test_private_zone_is_refused(check: Check, client: Any) -> None:
    network = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    private = (
        client("route53")
        .create_hosted_zone(
            Name="corp.example.com",
            CallerReference=str(uuid4()),
            VPC={"VPCRegion": "eu-north-1", "VPCId": network},
        )["HostedZone"]["Id"]
        .rpartition("/")[2]
    )
    found = check(HostedZoneId=private, DomainName="app.corp.example.com")
    assert "private or not delegated" in (found or "")


def test_missing_zone_is_refused(check: Check) -> None:
    found = check(HostedZoneId="Z0000000000000000000")
    assert "Z0000000000000000000, which does not exist" in (found or "")


def test_domain_outside_the_zone_is_refused(check: Check) -> None:
    for domain in ("app.example.org", "notexample.com"):
        assert f"DomainName ({domain}) is not in the hosted zone" in (
            check(DomainName=domain) or ""
        )


def test_own_certificate_needs_no_delegation(check: Check) -> None:
    """The record can be created before the zone is delegated."""
    arn = "arn:aws:acm:eu-north-1:111122223333:certificate/1"
    assert check(CertificateArn=arn) is None
    assert check({"HostedZoneId": "", "DomainName": "", "CertificateArn": arn}) is not None


def test_kept_zone_is_not_checked_again(check: Check, resolver: Resolver, zone: str) -> None:
    """Neither in an update that changes something else, nor in the one from a release without the check."""
    assert check({"HostedZoneId": zone, "DomainName": DOMAIN, "CertificateArn": ""}) is None
    assert check({"Project": "carbon-connect"}) is None
    assert resolver.asked == []


def test_denied_read_refuses_nothing(zone: str) -> None:
    class Denied:
        def list_resource_record_sets(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "ListResourceRecordSets")

    values = {"HostedZoneId": zone, "DomainName": DOMAIN}
    assert zone_is_delegated(Launch(values, {}, True, ROOT, lambda _: Denied(), [])) is None


def test_resolvers_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(dns.RESOLVER_VARIABLE, raising=False)
    settings = tmp_path / "resolv.conf"
    monkeypatch.setattr(dns, "SETTINGS", settings)
    assert dns.machine_resolvers() == ()
    settings.write_text(
        "# a comment\nsearch example.com\nnameserver 169.254.78.1\nnameserver ::1\n"
    )
    assert dns.machine_resolvers() == (("169.254.78.1", 53), ("::1", 53))
    monkeypatch.setenv(dns.RESOLVER_VARIABLE, "127.0.0.1:5353")
    assert dns.machine_resolvers() == (("127.0.0.1", 5353),)


@pytest.mark.parametrize("name", ["a" * 64, "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"])
def test_name_that_dns_has_not_is_not_asked(resolver: Resolver, name: str) -> None:
    assert dns.name_servers(name, [resolver.address]) is None
    assert resolver.asked == []
