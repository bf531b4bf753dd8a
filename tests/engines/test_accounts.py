"""PostgreSQL runs with any location of the clone and of TMPDIR, and for every user that the system lists."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import accounts, postgres
from tests.engines.places import POSTGRES, EngineError, present
from tests.engines.postgres import Postgres


@pytest.fixture
def private_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The server of a clone with umask 077 below a private folder with a long name that contains a space."""
    home = tmp_path / "private home" / ("x" * 120)
    home.mkdir(parents=True)
    engine = home / POSTGRES.name
    shutil.copytree(present(POSTGRES), engine, symlinks=True)
    for path in (tmp_path / "private home", *(tmp_path / "private home").rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.setattr(postgres, "POSTGRES", engine)
    yield engine
    # pytest keeps the folders of three runs, and the copy has 60 MB.
    shutil.rmtree(home)


@pytest.mark.usefixtures("private_engine")
def test_postgres_runs_from_a_folder_that_only_its_owner_can_read() -> None:
    with Postgres() as server:
        server.run("CREATE EXTENSION vector")
        assert server.run("SELECT '[1,2]'::vector::text") == [["[1,2]"]]
        folder = server.log.parent
    assert not folder.exists()


def test_postgres_runs_with_a_private_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(private))
    with Postgres() as server:
        assert server.run("SELECT 1") == [[1]]
    assert not list(private.iterdir())


def test_only_its_owner_can_change_the_installed_server(private_engine: Path) -> None:
    folder, tree = accounts.install(private_engine, "postgres-")
    try:
        for path in (folder, tree, *tree.rglob("*")):
            found = path.lstat()
            assert found.st_uid == os.geteuid()
            assert stat.S_ISLNK(found.st_mode) or not found.st_mode & 0o022, path
    finally:
        shutil.rmtree(folder)


def test_a_server_that_runs_in_no_temporary_folder_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "process_options", lambda: {"user": os.geteuid()})
    monkeypatch.setattr(accounts, "SHARED_FOLDERS", ())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    program = tmp_path / "engine" / "bin" / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 127\n")
    program.chmod(0o755)

    with pytest.raises(EngineError, match=r"cannot run it in any temporary folder.*set TMPDIR"):
        accounts.install(tmp_path / "engine", "postgres-")

    assert not list((tmp_path / "temporary").iterdir())


def test_a_user_that_the_system_does_not_list_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlisted(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(pwd, "getpwuid", unlisted)

    with pytest.raises(EngineError, match=r"does not list the user ID 54321.*/etc/passwd"):
        Postgres()


def test_root_starts_the_server_as_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    first = pwd.struct_passwd(("daemon", "x", 1, 1, "", "/", "/bin/false"))
    monkeypatch.setattr(pwd, "getpwall", lambda: [pwd.getpwuid(0), first])
    assert accounts.process_options() == {"user": 1, "group": 1, "extra_groups": []}

    monkeypatch.setattr(pwd, "getpwall", lambda: [pwd.getpwuid(0)])
    with pytest.raises(EngineError, match="lists no user besides root"):
        accounts.process_options()
