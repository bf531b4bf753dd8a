"""The zips: built from the committed sources, reproducible, and complete."""

import hashlib
import io
import shutil
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import boto3
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.errors import PipelineError
from pipeline.paths import FUNCTIONS
from pipeline.release import function_packages as function_zips
from pipeline.release.function_packages import (
    MAX_BYTES,
    SOURCE,
    WHEELS,
    FunctionZip,
    build_functions,
    contents_digest,
    function_folders,
)
from pipeline.release.function_wheels import COMPILED, PYTHON, requirements

NAMES = [folder.name for folder in function_folders(SOURCE)]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds nothing: a build that needs it fails."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "")


@pytest.fixture(scope="session")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every function, packed again from the wheels of the set-up."""
    for name in NAMES:
        for pinned in requirements(SOURCE / name):
            assert pinned.wheel_in(WHEELS), f"{pinned.name} is missing: run `make setup`."
    return build_functions(SOURCE, tmp_path_factory.mktemp("zips"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one function without requirements, and a shared module without an import."""
    source = tmp_path / "functions"
    folder = source / "example"
    folder.mkdir(parents=True)
    (source / "__init__.py").write_text("")
    (source / "unused.py").write_text("")
    (folder / "__init__.py").write_text("")
    (folder / "handler.py").write_text("def handler(event, context):\n    return event\n")
    return source


def wheel(folder: Path, name: str, files: dict[str, str]) -> str:
    """Add a wheel to the folder; returns the line that pins it."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def recompressed(path: Path) -> bytes:
    """The same zip, compressed by this machine's zlib."""
    target = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            new.writestr(info, old.read(info), compresslevel=9)
        new.comment = old.comment
    return target.getvalue()


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_every_function_has_a_committed_zip() -> None:
    assert sorted(path.name for path in FUNCTIONS.iterdir()) == [f"{name}.zip" for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_committed_zip_matches_the_sources(name: str, rebuilt: dict[str, Path]) -> None:
    # Compressed by this machine's zlib, because zlib-ng creates other bytes from the same contents.
    assert rebuilt[name].read_bytes() == recompressed(FUNCTIONS / f"{name}.zip")


def test_a_second_build_elsewhere_gives_the_same_bytes(
    tmp_path: Path, rebuilt: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "elsewhere" / "functions"
    shutil.copytree(SOURCE, copy)
    for path in copy.rglob("*"):
        path.chmod(0o700)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    again = build_functions(copy, tmp_path / "zips")

    assert {name: path.read_bytes() for name, path in again.items()} == {
        name: path.read_bytes() for name, path in rebuilt.items()
    }


@pytest.mark.usefixtures("offline")
def test_current_zip_is_kept_without_wheels(tmp_path: Path) -> None:
    shutil.copytree(FUNCTIONS, tmp_path / "zips")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "zips").iterdir()}

    paths = build_functions(SOURCE, tmp_path / "zips", wheels=tmp_path / "none")

    assert {path: path.stat().st_mtime_ns for path in paths.values()} == before


@pytest.mark.usefixtures("offline")
def test_changed_source_and_damaged_zip_are_packed_again(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "zips"
    path = build_functions(project, out)["example"]
    first = path.read_bytes()

    (project / "example" / "data.txt").write_text("new")
    build_functions(project, out)
    assert path.read_bytes() != first

    (project / "example" / "data.txt").unlink()
    build_functions(project, out)
    assert path.read_bytes() == first

    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("intruder.py", "")
    build_functions(project, out)
    assert path.read_bytes() == first

    path.write_bytes(b"no zip")
    build_functions(project, out)
    assert path.read_bytes() == first


def test_zip_of_a_removed_function_is_deleted(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "zips"
    out.mkdir()
    (out / "gone.zip").write_bytes(b"")

    assert list(build_functions(project, out)) == ["example"]
    assert [path.name for path in out.iterdir()] == ["example.zip"]


@pytest.mark.parametrize("name", NAMES)
def test_zip_has_pure_python_and_is_small(name: str) -> None:
    path = FUNCTIONS / f"{name}.zip"
    names = members(path)

    assert FunctionZip.at(path).size < MAX_BYTES
    assert f"functions/{name}/handler.py" in names
    assert not [each for each in names if Path(each).suffix in {*COMPILED, ".pyc"}]
    assert not [each for each in names if each.startswith(("boto", "templates_src"))]


@pytest.mark.parametrize("name", NAMES)
def test_zip_pins_all_requirements_of_its_wheels(name: str) -> None:
    pinned = {canonicalize_name(each.name) for each in requirements(SOURCE / name)}
    with zipfile.ZipFile(FUNCTIONS / f"{name}.zip") as archive:
        texts = [
            archive.read(each).decode()
            for each in archive.namelist()
            if each.endswith(".dist-info/METADATA")
        ]
    needed = [
        Requirement(line)
        for text in texts
        for line in message_from_string(text).get_all("Requires-Dist", [])
    ]
    runtime = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "extra": ""}

    assert len(texts) == len(pinned)
    assert {
        canonicalize_name(each.name)
        for each in needed
        if each.marker is None or each.marker.evaluate(runtime)
    } <= pinned


@pytest.mark.parametrize("name", NAMES)
def test_zip_needs_only_the_packages_of_the_lambda_runtime(name: str, tmp_path: Path) -> None:
    unpacked, runtime = tmp_path / "task", tmp_path / "runtime"
    with zipfile.ZipFile(FUNCTIONS / f"{name}.zip") as archive:
        archive.extractall(unpacked)
    runtime.mkdir()
    packages = Path(boto3.__file__).parent.parent
    for package in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six.py"):
        (runtime / package).symlink_to(packages / package)
    script = (
        f"import sys; sys.path[:0] = [{str(unpacked)!r}, {str(runtime)!r}];"
        f"from functions.{name}.handler import handler; assert callable(handler)"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("six", "must have the form NAME==VERSION"),
        ("six==1.17.0", "must have the form NAME==VERSION"),
        ("six>=1.17.0 --hash=sha256:" + "0" * 64, "must have the form NAME==VERSION"),
        ("six==1.17.0 --hash=sha256:" + "0" * 63, "must have the form NAME==VERSION"),
        (
            "six==1.17.0 --hash=sha256:" + "0" * 64 + " --hash=sha256:" + "1" * 64,
            "must have the form NAME",
        ),
        ("six==1.17.0 --hash=sha256:" + "0" * 64, "pip could not fetch"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_unpinned_or_missing_wheel_fails_the_build(
    project: Path, tmp_path: Path, line: str, reason: str
) -> None:
    (project / "example" / "requirements.txt").write_text(line)

    with pytest.raises(PipelineError, match=reason):
        build_functions(project, tmp_path / "zips", wheels=tmp_path / "wheels")

    assert not list((tmp_path / "zips").iterdir())


@pytest.mark.usefixtures("offline")
def test_a_wheel_with_another_content_is_not_used(project: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    line = wheel(wheels, "thing", {"thing.py": "good"})
    wheel(wheels, "thing", {"thing.py": "bad"})
    (project / "example" / "requirements.txt").write_text(line)

    with pytest.raises(PipelineError, match="pip could not fetch"):
        build_functions(project, tmp_path / "zips", wheels=wheels)


@pytest.mark.parametrize("member", ["thing/fast.so", "thing/fast.pyd", "thing-1.0.data/purelib/x"])
def test_a_wheel_with_compiled_code_fails_the_build(
    project: Path, tmp_path: Path, member: str
) -> None:
    wheels = tmp_path / "wheels"
    line = wheel(wheels, "thing", {"thing/__init__.py": "", member: ""})
    (project / "example" / "requirements.txt").write_text(line)

    with pytest.raises(PipelineError, match="packed from pure Python"):
        build_functions(project, tmp_path / "zips", wheels=wheels)


def test_wheel_cannot_replace_a_module(project: Path, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    line = wheel(wheels, "thing", {"functions/example/handler.py": "other"})
    (project / "example" / "requirements.txt").write_text(line)

    with pytest.raises(PipelineError, match="another part of the zip"):
        build_functions(project, tmp_path / "zips", wheels=wheels)


def test_a_zip_that_is_too_large_fails_the_build(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_zips, "MAX_BYTES", 500)

    with pytest.raises(PipelineError, match="must stay under 500"):
        build_functions(project, tmp_path / "zips")

    assert not list((tmp_path / "zips").iterdir())


@pytest.mark.parametrize("missing", ["handler.py", "__init__.py"])
def test_a_folder_that_breaks_the_convention_fails_the_build(
    project: Path, tmp_path: Path, missing: str
) -> None:
    (project / "example" / missing).unlink()
    with pytest.raises(PipelineError, match=f"has no {missing}"):
        build_functions(project, tmp_path / "zips")

    (project / "Bad-Name").mkdir()
    with pytest.raises(PipelineError, match="lower case"):
        build_functions(project, tmp_path / "zips")


def test_only_needed_files_are_packed(project: Path, tmp_path: Path) -> None:
    folder = project / "example"
    (project / "used.py").write_text("from .further import x\n")
    (project / "further.py").write_text("x = 1\n")
    (folder / "handler.py").write_text("from ..used import x\nfrom . import part\n")
    (folder / "part.py").write_text("")
    (folder / "data").mkdir()
    (folder / "data" / "roots.pem").write_text("")
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / ".hidden").write_text("")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "handler.cpython-313.pyc").write_text("")

    path = build_functions(project, tmp_path / "zips")["example"]

    assert members(path) == [
        "functions/__init__.py",
        "functions/example/__init__.py",
        "functions/example/data/roots.pem",
        "functions/example/handler.py",
        "functions/example/part.py",
        "functions/further.py",
        "functions/used.py",
    ]
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            assert (info.date_time, info.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o100644)


def test_comment_identifies_sources_and_contents(project: Path, tmp_path: Path) -> None:
    path = build_functions(project, tmp_path / "zips")["example"]

    with zipfile.ZipFile(path) as archive:
        assert f"contents {contents_digest(path)}\n" in archive.comment.decode()
