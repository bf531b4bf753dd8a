"""The times of docs/search-server.md are those of the boot script."""

from __future__ import annotations

import re

from pipeline.paths import PROJECT_FOLDER
from tests.promises.figures import WORDS
from tests.promises.pages import written_by_hand

SCRIPT = (PROJECT_FOLDER / "templates_src/compute/search/boot.sh").read_text(encoding="utf-8")
HOUR = 3600


def test_times_of_a_server_that_does_not_answer() -> None:
    page = " ".join(written_by_hand("search-server.md").split())
    ((ended, pause),) = re.findall(r"failures >= (\d+) && EPOCHSECONDS - ended > (\d+)", SCRIPT)
    (restarted,) = re.findall(r"failures == 0 \|\| failures % (\d+)", SCRIPT)

    assert f"does not answer for {WORDS[int(restarted)]} minutes" in page
    assert f"again every {WORDS[int(restarted)]} minutes" in page
    assert f"After {ended} minutes" in page
    assert f"at most once in {int(pause) // HOUR} hours" in page
