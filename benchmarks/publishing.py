"""How long publishing takes, in one region and in three, and how much memory: `python -m benchmarks.publishing`.

It runs against an embedded AWS and adds 50 ms to every call, like the distance to a region.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from threading import Lock
from typing import Any

from embedded_aws.server import EmbeddedAws
from pipeline.aws import Aws
from pipeline.catalog.publish import plan_regions, publish
from pipeline.catalog.spec.document import load_catalog
from pipeline.release.assemble import assemble

LATENCY = 0.050
REGIONS = ("eu-north-1", "eu-west-1", "us-east-1")
# The limits: time for three regions over time for one, and memory in MB.
MOST_TIMES, MOST_MEGABYTES = 1.6, 200


class Distance:
    """Clients whose every call takes longer, and the number of calls."""

    def __init__(self, embedded: EmbeddedAws) -> None:
        self.embedded = embedded
        self.calls = 0
        self.lock = Lock()

    def __call__(self, region: str) -> Aws:
        """The clients of a region."""
        aws = Aws(region, self.embedded.environment())
        aws.session.events.register("before-send", self.delay)
        return aws

    def delay(self, **_call: Any) -> None:
        """Wait for the round-trip time."""
        with self.lock:
            self.calls += 1
        time.sleep(LATENCY)


def measured(regions: tuple[str, ...]) -> tuple[float, float, int]:
    """Seconds of a first publication and of a second one, and the calls of the first."""
    release, catalog = assemble(), replace(load_catalog(), regions=regions)
    with EmbeddedAws.start(region=regions[0]) as embedded:
        distance = Distance(embedded)
        began = time.perf_counter()
        publish(plan_regions(distance, release, catalog))
        first, calls = time.perf_counter() - began, distance.calls
        began = time.perf_counter()
        publish(plan_regions(distance, release, catalog))
        return first, time.perf_counter() - began, calls


def main() -> int:
    """Print the measurements; exit status 1 if one exceeds its limit."""
    one, one_again, one_calls = measured(REGIONS[:1])
    three, three_again, three_calls = measured(REGIONS)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'':22}{'first':>8}{'again':>8}{'calls':>8}")
    print(f"{'one region':22}{one:7.2f}s{one_again:7.2f}s{one_calls:8}")
    print(f"{'three regions':22}{three:7.2f}s{three_again:7.2f}s{three_calls:8}")
    print(f"{'times':22}{three / one:8.2f}{three_again / one_again:8.2f}  (at most {MOST_TIMES})")
    print(f"{'memory':22}{megabytes:5.0f} MB  (at most {MOST_MEGABYTES} MB)")
    kept = three / one <= MOST_TIMES and megabytes <= MOST_MEGABYTES
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
