"""The times of docs/search-server.md are those of the boot script."""

from __future__ import annotations

import re

from pipeline.paths import PROJECT_FOLDER
from tests.promises.figures import WORDS
from tests.promises.pages import written_by_hand

SCRIPT = (PROJECT_FOLDER / "templates_src/compute/search/boot.sh").read_text(encoding="utf-8")
MINUTE, HOUR = 60, 3600


def test_times_of_a_server_that_does_not_answer() -> None:
    page = " ".join(written_by_hand("search-server.md").split())
    ((ended, rest),) = re.findall(r"failures >= (\d+) && EPOCHSECONDS - ended > (\d+)", SCRIPT)
    (restarted,) = re.findall(r"failures == 0 \|\| failures % (\d+)", SCRIPT)

    # A run of the check takes a second or two.
    (pause,) = re.findall(
        r"ExecStart=\$program check_health .*\nRestart=always\nRestartSec=(\d+)", SCRIPT
    )
    assert 55 <= int(pause) <= MINUTE
    assert "Every minute the instance publishes" in page
    assert f"does not answer for {WORDS[int(restarted)]} minutes" in page
    assert f"again every {WORDS[int(restarted)]} minutes" in page
    assert f"After {ended} minutes" in page
    assert f"at most once in {int(rest) // HOUR} hours" in page
