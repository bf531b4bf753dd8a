"""The operating system user that runs PostgreSQL, and a folder that this user can read.

PostgreSQL refuses to run as root, and initdb refuses a user that the system does not list. So root starts both as an
unprivileged user. That user may not be able to read the clone (a home folder of root, a folder made by mktemp -d, or a
umask of 077). So root runs a copy of the server next to its data, in a new folder that only root can change. A copy for
each server needs no lock, and no other user can prepare its place: the name of the folder is random and mkdtemp fails
where it exists.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engines.places import EngineError

PREFERRED = "nobody"
# Tried after TMPDIR, which can be private to root or forbid programs (noexec).
SHARED_FOLDERS = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 only new folders are made in them


def process_options() -> dict[str, Any]:
    """The options of subprocess that start a program as the server's user: none unless this process is root."""
    if os.geteuid() != 0:
        return {}
    user = _listed_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def give_away(*paths: Path) -> None:
    """Make the server's user the owner of files that this process created."""
    options = process_options()
    for path in paths if options else ():
        os.chown(path, options["user"], options["group"])


def install(tree: Path, prefix: str) -> tuple[Path, Path]:
    """A new temporary folder, and the server's tree as its user can run it: for root a copy in that folder.

    Raises EngineError when the user can run the copy in none of the temporary folders.
    """
    if not process_options():
        _check_listed()
        return Path(tempfile.mkdtemp(prefix=prefix)), tree
    reasons = []
    for base in _temporary_folders():
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
        try:
            copy = _copy(tree, folder)
            _try_out(copy)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(folder)
            reasons.append(f"{base} ({error})")
        except BaseException:
            shutil.rmtree(folder)
            raise
        else:
            return folder, copy
    raise EngineError(
        f"The user {_listed_user().pw_name}, as whom root starts PostgreSQL, cannot run it in any temporary folder, {', '.join(reasons)}:"
        " set TMPDIR to a folder that every user can enter, or run the tests as an ordinary user."
    )


def _check_listed() -> None:
    """Raise EngineError if the system does not list this user, for example in a container with a bare user ID."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EngineError(
            f"The system does not list the user ID {os.geteuid()}, and initdb of PostgreSQL refuses such a user:"
            " add it to /etc/passwd, or run the tests as root."
        ) from None


def _temporary_folders() -> Iterator[Path]:
    first = Path(tempfile.gettempdir())
    yield first
    yield from (folder for folder in SHARED_FOLDERS if folder.is_dir() and folder != first)


def _copy(tree: Path, folder: Path) -> Path:
    """Copy the tree, readable for every user, independent of the original modes and the umask."""
    folder.chmod(0o755)
    copy = folder / tree.name
    shutil.copytree(tree, copy, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
    return copy


def _try_out(tree: Path) -> None:
    subprocess.run(
        [tree / "bin" / "postgres", "--version"],
        cwd="/",
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        **process_options(),
    )


def _listed_user() -> pwd.struct_passwd:
    users = [user for user in pwd.getpwall() if user.pw_uid != 0]
    if not users:
        raise EngineError(
            "The system lists no user besides root, and PostgreSQL does not run as root: add a user."
        )
    return next((user for user in users if user.pw_name == PREFERRED), users[0])
