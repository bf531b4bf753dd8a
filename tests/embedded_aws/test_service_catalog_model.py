"""What the embedded Service Catalog checks beyond botocore, and that it knows its own API."""

from embedded_aws.services.service_catalog import model


def patterns_in(shape: object) -> set[str]:
    """The patterns of a shape and of those in it; no shape of the API contains itself."""
    found = {shape.metadata["pattern"]} if "pattern" in shape.metadata else set()  # type: ignore[attr-defined]
    members = list(getattr(shape, "members", {}).values())
    members += [getattr(shape, name) for name in ("member", "key", "value") if hasattr(shape, name)]
    return found.union(*map(patterns_in, members))


def test_every_pattern_of_the_model_can_be_checked() -> None:
    names = model.operation("ListPortfolios").service_model.operation_names
    shapes = [model.operation(name).input_shape for name in names]
    patterns = set[str]().union(*(patterns_in(shape) for shape in shapes if shape))
    assert len(patterns) >= 8
    for pattern in patterns:
        assert "\\p{" not in model.pattern(pattern).pattern


def test_limits_are_checked_wherever_they_are() -> None:
    shape = model.operation("CreatePortfolio").input_shape
    request = {
        "DisplayName": "x" * 101,
        "ProviderName": "Us",
        "IdempotencyToken": "not allowed",
        "Tags": [{"Key": "k", "Value": "v"}, {"Key": "k" * 129, "Value": "<>"}],
    }
    found = " ".join(model.problems(request, shape, ""))
    for expected in (
        "DisplayName must have length less than or equal to 100",
        "IdempotencyToken must satisfy",
        "Tags[1].Key must have length less than or equal to 128",
        "Tags[1].Value must satisfy",
    ):
        assert expected in found
    assert "Tags[0]" not in found
    assert model.problems({**request, "Surplus": 1}, shape, "") != []
    assert model.problems({"DisplayName": "P"}, shape, "") != []
