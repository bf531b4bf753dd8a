"""The shares of a portfolio: in catalog.yaml, and in requests to Service Catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.catalog.spec.nodes import Place
from pipeline.errors import listed

ACCOUNT, UNIT, ORGANIZATION = "account", "organizational_unit", "organization"
# A node of an organization is named by its ID, or by an ARN that ends in the ID.
_ORGANIZATIONS = r"arn:aws[a-z-]*:organizations::\d{12}:"
_ORGANIZATION = r"o-[a-z0-9]{10,32}"
NODES: Mapping[str, tuple[str, str]] = {
    ACCOUNT: (r"\d{12}", "the twelve digits of an account"),
    UNIT: (
        rf"({_ORGANIZATIONS}ou/{_ORGANIZATION}/)?ou-[0-9a-z]{{4,32}}-[0-9a-z]{{8,32}}",
        "ou-ROOT-ID, or the unit's ARN",
    ),
    ORGANIZATION: (
        rf"({_ORGANIZATIONS}organization/)?{_ORGANIZATION}",
        "o- and the organization's ID, or its ARN",
    ),
}
# The types of DescribePortfolioShares. The last exists only for shares from the console: catalog.yaml names an account
# directly.
SHARE_TYPES: Mapping[str, str] = {
    "ACCOUNT": ACCOUNT,
    "ORGANIZATIONAL_UNIT": UNIT,
    "ORGANIZATION": ORGANIZATION,
    "ORGANIZATION_MEMBER_ACCOUNT": "organization_member_account",
}


@dataclass(frozen=True)
class Share:
    """The recipient of a share: ``kind`` is account, organizational_unit or organization, ``node`` its ID."""

    kind: str
    node: str
    tag_options: bool
    principals: bool

    @property
    def request(self) -> dict[str, Any]:
        """The recipient of the share and its options, as parameters of the API."""
        if self.kind == ACCOUNT:
            return {"AccountId": self.node, "ShareTagOptions": self.tag_options}
        types = {kind: type_ for type_, kind in SHARE_TYPES.items()}
        return {
            "OrganizationNode": {"Type": types[self.kind], "Value": self.node},
            "ShareTagOptions": self.tag_options,
            "SharePrincipals": self.principals,
        }


def organization_id(place: Place | None) -> str:
    """The organization's ID; empty for none."""
    return place.text(*NODES[ORGANIZATION]).rpartition("/")[2] if place else ""


def shares(place: Place | None, organization: str) -> tuple[Share, ...]:
    """The shares of a portfolio, within the organization that can read the release bucket."""
    found: list[Share] = []
    for item in place.items() if place else ():
        made = share(item, organization)
        if any(other.node == made.node for other in found):
            raise item.refuse(f"names {made.node} again; remove one of the two.")
        found.append(made)
    return tuple(found)


def share(place: Place, organization: str) -> Share:
    """One share."""
    entry = place.mapping((), (*NODES, "tag_options", "principals"))
    kinds = [kind for kind in NODES if kind in entry]
    if len(kinds) != 1:
        raise place.refuse(f"must name one of {listed(list(NODES))}.")
    kind = kinds[0]
    node = entry[kind].text(*NODES[kind]).rpartition("/")[2]
    tag_options, principals = (
        entry[name].switch() if name in entry else False for name in ("tag_options", "principals")
    )
    if kind == ACCOUNT and principals:
        # https://docs.aws.amazon.com/servicecatalog/latest/dg/API_CreatePortfolioShare.html
        raise entry["principals"].refuse(
            "is invalid: Service Catalog shares principals only with an organization and its units."
        )
    if kind in {ACCOUNT, UNIT} and not organization:
        whose = "the account" if kind == ACCOUNT else "an account of the unit"
        raise place.refuse(
            f"needs the key organization at the top: without it {whose} cannot read the release bucket, and every launch there fails."
        )
    if kind == ORGANIZATION and node != organization:
        raise place.refuse(
            f"needs organization: {node} at the top, or its accounts cannot read the release bucket."
        )
    return Share(kind, node, tag_options, principals)
