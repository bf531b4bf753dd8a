"""The three tiers and the addresses of their subnets."""

from __future__ import annotations

from dataclasses import dataclass

from troposphere import Cidr, Ref, Select

from templates_src.core.parameters import groups
from templates_src.core.parameters.declaration import Declaration

ZONES = (1, 2, 3)
# /20 subnets: 12 host bits. Nine of the sixteen in a /16 are used.
SUBNET_BITS, SUBNET_COUNT = "12", 9

VPC_CIDR = Declaration(
    name="VpcCidr",
    group=groups.NETWORK,
    label="VPC address range (first launch only)",
    description="Private /16 range of the VPC, divided into nine /20 subnets. Choose it before the first launch: LaunchCheck refuses a change, because the database does not move to another VPC.",
    default="10.0.0.0/16",
    pattern=r"(10\.(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])|172\.(1[6-9]|2\d|3[01])|192\.168)\.0\.0/16",
    message="VpcCidr must be a private /16 range: 10.N.0.0/16, 172.16.0.0/16 to 172.31.0.0/16, or 192.168.0.0/16.",
)


@dataclass(frozen=True)
class Tier:
    """One of the three tiers: the prefix of its logical IDs and the first of its three /20 blocks."""

    name: str
    first_block: int

    def cidr(self, zone: int) -> Select:
        """CIDR block of the tier's subnet in a zone (1 to 3)."""
        blocks = Cidr(Ref(VPC_CIDR.name), str(SUBNET_COUNT), SUBNET_BITS)
        return Select(str(self.first_block + zone - 1), blocks)


PUBLIC, PRIVATE, DATA = Tier("Public", 0), Tier("Private", 3), Tier("Data", 6)
