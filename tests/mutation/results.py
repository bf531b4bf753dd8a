"""The result of a mutant, and the figures of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Kinds of resources whose mutants must be found more often, by the service of the type.
AREAS = {
    "stateful": ("RDS", "ElastiCache", "S3", "KMS", "SecretsManager", "ECR", "DLM"),
    "edge": ("ElasticLoadBalancingV2", "WAFv2", "Route53", "CertificateManager"),
    "identity": ("IAM", "Launch role template"),
    "network": ("EC2",),
}
STRICT, OVERALL = 0.97, 0.93
ALL = "all"
BOUNDS = {**dict.fromkeys(AREAS, STRICT), ALL: OVERALL}
# Marks a check that finds a mutant only because it raises an error: the test fails, and its message says little.
BY_ERROR = " (error)"


@dataclass(frozen=True)
class Result:
    """A mutant: type and name of what was changed, where and how, and the checks that found it."""

    kind: str
    name: str
    place: str
    operator: str
    killers: tuple[str, ...]

    @property
    def key(self) -> str:
        """What the mutant changes, as the list of survivors names it."""
        return f"{self.kind} {self.place or '(resource)'}: {self.operator}"


def area(kind: str) -> str:
    """The area of a type: stateful, edge, identity, network or other."""
    parts = kind.split("::")
    service = parts[1] if len(parts) > 1 else kind
    return next((name for name, services in AREAS.items() if service in services), "other")


def rate(results: Iterable[Result]) -> float:
    """The share of mutants that a check found."""
    listed = list(results)
    return sum(1 for each in listed if each.killers) / len(listed) if listed else 1.0


def survivors(results: Iterable[Result]) -> Counter[str]:
    """The number of survivors by key."""
    return Counter(each.key for each in results if not each.killers)


def by_error(results: Iterable[Result]) -> int:
    """The number of mutants that are found only by an error in a check."""
    return sum(1 for each in results if any(name.endswith(BY_ERROR) for name in each.killers))


def table(results: Iterable[Result]) -> Iterator[str]:
    """The kill rate of each area and type."""
    listed = list(results)
    for name in sorted({area(each.kind) for each in listed}):
        of_area = [each for each in listed if area(each.kind) == name]
        yield f"{name}: {rate(of_area):.1%} of {len(of_area)}"
        for kind in sorted({each.kind for each in of_area}):
            of_kind = [each for each in of_area if each.kind == kind]
            killed = sum(1 for each in of_kind if each.killers)
            yield f"  {kind}: {killed} of {len(of_kind)} ({rate(of_kind):.1%})"
    yield f"all: {rate(listed):.1%} of {len(listed)}"


def killers(results: Iterable[Result]) -> Counter[str]:
    """The number of mutants that each check found."""
    return Counter(name for each in results for name in each.killers)
