"""The root certificates for the verification of a database: exactly those of Amazon's bundle."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tools.rds_roots import PACKAGE, TARGET, RootsError, bundles

FILES = sorted(TARGET.glob("*.pem"))
# A certificate that expires earlier is not of the current generation.
FAR = datetime.datetime(2060, 1, 1, tzinfo=datetime.UTC)


def test_files_match_the_output_of_the_script() -> None:
    assert {path.stem: path.read_text() for path in FILES} == bundles(PACKAGE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_region_has_three_roots(path: Path) -> None:
    certificates = x509.load_pem_x509_certificates(path.read_bytes())
    names = [
        str(each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        for each in certificates
    ]

    expected = [
        f"Amazon RDS {path.stem} Root CA {key} G1" for key in ("ECC384", "RSA2048", "RSA4096")
    ]
    assert names == expected
    for each in certificates:
        each.verify_directly_issued_by(each)
        assert each.not_valid_after_utc > FAR


def test_region_of_the_environments_has_roots() -> None:
    assert "eu-north-1" in {path.stem for path in FILES}


def test_package_with_another_hash_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "package.tgz"
    other.write_bytes(PACKAGE.read_bytes() + b" ")

    with pytest.raises(RootsError, match="as pinned"):
        bundles(other)
    with pytest.raises(RootsError, match="run `make setup`"):
        bundles(tmp_path / "none.tgz")
