"""The files of the site: deterministic, small, and with a reason where a page or an environment is missing."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.pages import outputs
from pipeline.pages.site import Page, Site, site_of
from pipeline.pages.writer import Files, files, write
from pipeline.paths import PARAMETERS, PROJECT_FOLDER
from pipeline.release.assemble import Release
from tests.conftest import REGION

MOST_BYTES, MOST_SECONDS = 3_000_000, 3
REASON = "The price of a resource is unknown."


@pytest.fixture(scope="module")
def site(release: Release) -> Site:
    return site_of(release, REGION)


@pytest.fixture(scope="module")
def found(site: Site) -> Files:
    return files(site)


def failing(_site: Site) -> Mapping[str, Any]:
    raise PipelineError(REASON)


def test_two_runs_write_the_same_bytes_in_time(found: Files, tmp_path: Path) -> None:
    """The order of sets, the time zone, the language and the folder of the run change nothing."""
    seconds = []
    for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "de_DE.UTF-8")):
        target = tmp_path / f"pages {seed}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, PROJECT_FOLDER / "build.py", "pages", "--output", target],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0, done.stderr
        assert {path.name: path.read_bytes() for path in target.iterdir()} == found.contents

    assert not found.failures
    assert sum(map(len, found.contents.values())) < MOST_BYTES
    # The other tests share the processor, its caches and its clock: a process takes up to twice its time.
    assert min(seconds) < 2 * MOST_SECONDS


def test_no_file_names_another_host_as_a_source(found: Files) -> None:
    """Links may lead elsewhere; nothing that a browser loads by itself does."""
    for name, content in found.contents.items():
        text = content.decode()
        assert not re.search(
            r"""(src|srcset)=["']?(https?:)?//|url\(["']?(https?:)?//|@import""", text
        ), name
        assert not re.search(r"<link[^>]*(https?:)?//", text), name


def test_every_link_within_the_site_leads_somewhere(found: Files) -> None:
    contents = {name: body.decode() for name, body in found.contents.items()}
    for name, text in contents.items():
        for link in re.findall(r"""href="([^"#:]*)(?:#([^"]*))?\"""", text):
            target, anchor = link[0].partition("?")[0], link[1]
            assert target == "" or target in contents, (name, link)
            if anchor:
                assert f'id="{anchor}"' in contents[target or name], (name, link)


def test_a_page_that_fails_says_why_and_leaves_the_others(site: Site) -> None:
    broken = Page("broken", "Broken", "A page that fails.", failing)

    shown = files(site, (outputs.PAGE, broken))

    assert shown.failures == {"Broken": REASON}
    assert REASON in shown.contents["broken.html"].decode()
    assert REASON not in shown.contents["index.html"].decode()


def test_an_environment_that_cannot_be_rendered_is_named_on_every_page(
    release: Release, tmp_path: Path
) -> None:
    profiles = Path(shutil.copytree(PARAMETERS, tmp_path / "parameters"))
    broken = profiles / "prod.json"
    broken.write_text(broken.read_text().replace("per-zone", "single"))

    found = files(site_of(release, REGION, profiles))

    assert not found.failures
    reason = "NatGateways must be per-zone when Environment is prod."
    for name, content in found.contents.items():
        if name.endswith(".html"):
            assert reason in content.decode(), name


def test_the_folder_is_replaced_unless_it_has_other_files(found: Files, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    write(found, folder)
    (folder / "old.html").touch()
    write(found, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(found.contents)

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").touch()
    with pytest.raises(PipelineError, match=r"has other files, such as thesis\.txt"):
        write(found, tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]
