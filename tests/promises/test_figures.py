"""Figures of the pages that are computed: from the simulation, from prices, and from the code of the functions."""

from __future__ import annotations

import inspect
import math
import re
from decimal import Decimal
from importlib import metadata

from celery import Celery
from kombu.transport import redis

from benchmarks.scaling.fleet import Assumptions
from benchmarks.scaling.load import (
    HOURS,
    LONG_SECONDS,
    LONG_SHARE,
    SHORT_SECONDS,
    ramp,
    scenarios,
)
from benchmarks.scaling.variants import SOFT_SHUTDOWN, choices, long_jobs
from pipeline.cost.prices import METRIC_MONTH
from pipeline.paths import PROJECT_FOLDER
from templates_src.data.extensions import PATIENCE_SECONDS
from templates_src.functions.database_extensions.ownership import LOCK_SECONDS
from templates_src.functions.queue_depth import progress
from templates_src.functions.queue_depth.broker import (
    BEAT_ALIVE,
    WORKER_SILENT_SECONDS,
    WORKERS_ALIVE,
)
from templates_src.functions.queue_depth.messages import (
    HELD_BYTES,
    HELD_SAMPLE,
    LIST_BYTES,
    LIST_SAMPLE,
)
from tests.promises.figures import WORDS, constants
from tests.promises.pages import written_by_hand
from tests.relations.variants import built, rendered_variant

MINUTE, MIB = 60, 2**20
ASSUMED = Assumptions()
JOB_SECONDS = (1 - LONG_SHARE) * SHORT_SECONDS + LONG_SHARE * LONG_SECONDS
# CloudWatch's price of a thousand PutMetricData calls: https://aws.amazon.com/cloudwatch/pricing/
THOUSAND_CALLS = Decimal("0.01")


EXAMPLE = PROJECT_FOLDER / "examples" / "app" / "app"


def says(text: str, page: str = "scaling.md") -> bool:
    """Whether a page contains a text, whatever its lines are."""
    return text in " ".join(written_by_hand(page).split())


def contract_says(text: str) -> bool:
    return says(text, "container-contract.md")


def test_loads_are_those_of_the_simulation() -> None:
    burst, _, reclaimed = scenarios()
    times = [job.sent / MINUTE for job in burst.jobs]
    crowded = round(
        min(time for time in times if sum(time <= t < time + 1 / 3 for t in times) > 900)
    )
    sent = sum(crowded <= time < crowded + 1 / 3 for time in times)
    quiet = round(sum(time < crowded for time in times) / crowded)
    (reclaim,) = reclaimed.reclaims
    steady = round(sum(job.sent < 7200 for job in reclaimed.jobs) / 120)
    shortage = round(reclaim.shortage / MINUTE)

    assert says(
        f"{round(sent, -2):,} jobs within 20 seconds at minute {crowded}, otherwise {quiet} a"
    )
    assert says(f"from {ramp(0):.0f} to {max(map(ramp, range(120))):.0f} jobs a minute in an hour")
    assert says(f"{steady} jobs a minute for two hours")
    assert says(f"has no capacity for {shortage} minutes (the yellow band)")
    assert (reclaim.at, reclaim.share) == (3600, 0.5)


def test_loads_of_the_variants_are_those_of_the_simulation() -> None:
    (delayed, _), (spotless, _), _ = choices()
    held = [job.sent for job in delayed.jobs if job.delay]
    others = round((len(delayed.jobs) - len(held)) / (HOURS * 60))
    steady = round(sum(job.sent < 10_800 for job in spotless.jobs) / 180)

    assert says(
        f"{len(held):,} jobs with a countdown of half an hour, sent at minute {min(held) / 60:.0f}, and {others} others"
    )
    assert says(f"{steady} jobs a minute for three hours")
    assert says(
        f"{long_jobs(0)} a minute for an hour and then {long_jobs(60)} a minute for 40 minutes, in turn"
    )
    assert (long_jobs(99), long_jobs(100)) == (long_jobs(60), long_jobs(0))
    assert says(f"jobs that take longer than {SOFT_SHUTDOWN:.0f} seconds are repeated")


def test_target_follows_from_jobs_minutes_and_processes() -> None:
    a_minute = ASSUMED.processes * MINUTE / JOB_SECONDS
    target = built().root.declarations["WorkerBacklogTarget"].default

    assert says(
        f"The default, {target}, results from {a_minute:.1f} jobs a minute, three quarters of a minute and two"
    )
    assert round(a_minute * 0.75 + 2) == int(target or 0)
    assert ASSUMED.processes == 2


def test_cpu_of_workers_that_wait() -> None:
    busy = ASSUMED.processes * (1 - ASSUMED.io_share)
    assert says(
        f"wait for I/O {ASSUMED.io_share * 100:.0f} % of the time reach {busy * 100:.0f} % CPU"
    )


def test_messages_that_the_function_reads() -> None:
    held, listed = HELD_BYTES // MIB, LIST_BYTES // MIB
    assert says(
        f"{HELD_SAMPLE:,} messages ({held} MiB) of those that workers hold, and {LIST_SAMPLE} ({listed} MiB)"
    )
    assert says(f"counts {HELD_BYTES // 1024:,} ECPU for the largest read")


def test_free_storage_that_raises_the_alarm() -> None:
    alarm = rendered_variant("prod").layers["monitoring"]["Resources"]["DatabaseFreeStorageTooLow"]
    shares = {(free, size): 100 * free / size for free, size in ((3.9, 50), (15, 200))}
    (first, second) = (f"{free} GiB" for free, _ in shares)
    assert says(
        f"{first} free raise it for 50 GiB ({shares[3.9, 50]:.1f} %), and {second} for 200 GiB ({shares[15, 200]} %)"
    )
    assert max(shares.values()) < float(alarm["Properties"]["Threshold"])


def test_estimate_of_many_messages() -> None:
    """A share of a sample has a binomial distribution."""
    total, share = 100_000, 0.2
    deviation = total * math.sqrt(share * (1 - share) / HELD_SAMPLE)
    assert says(
        f"of {total:,} messages, of which one in five can be done now, it finds {total * share:,.0f} ± {deviation:.0f}"
    )


def test_cost_of_the_storage_metric() -> None:
    runs = 30 * 24 * 60 // 5
    calls = (THOUSAND_CALLS * runs / 1000).quantize(Decimal("0.01"))
    assert says(
        f"costs {METRIC_MONTH.usd} USD a month, its calls {calls} USD, and the function's {runs:,} runs"
    )


def test_times_of_the_protection() -> None:
    known = constants(EXAMPLE / "protection.py")
    longest = constants(EXAMPLE / "worker.py")["LONGEST_TASK_SECONDS"]
    reserve, resumed = (
        WORDS[known[name] // MINUTE] for name in ("RESERVE_SECONDS", "RESUME_SECONDS")
    )
    protected = (longest + known["RESERVE_SECONDS"]) // MINUTE

    assert contract_says(f"looks every {WORDS[known['POLL_SECONDS']]} seconds whether jobs run")
    assert contract_says(f"`task_time_limit` and {reserve} minutes, so for {protected} minutes")
    assert contract_says(f"a stream of short jobs renews every {reserve} minutes")
    assert contract_says(f"has had no job for {WORDS[known['IDLE_SECONDS']]} seconds")
    assert contract_says(f"it takes jobs again after {resumed} minutes")
    assert contract_says("the next request after a minute")
    assert known["RETRY_SECONDS"] == MINUTE


def test_times_of_the_signs_of_life() -> None:
    known = constants(EXAMPLE / "liveness.py")
    code = (EXAMPLE / "liveness.py").read_text(encoding="utf-8")
    worker = (EXAMPLE / "worker.py").read_text(encoding="utf-8")
    (hang,) = re.findall(r'"HANG_SECONDS", "(\d+)"', code)
    (loop,) = re.findall(r"beat_max_loop_interval=(\w+)", worker)
    longest = constants(EXAMPLE / "worker.py")[loop]

    assert contract_says(f"It shows a sign of life** every {known['SIGN_SECONDS']} seconds")
    assert contract_says(f"without a sign in {WORDS[WORKER_SILENT_SECONDS // MINUTE]} minutes")
    assert contract_says(
        f"(`beat_max_loop_interval` is {longest}) starts {WORDS[int(hang) // MINUTE]} minutes again"
    )
    assert contract_says(
        f"without a connection to the cache for {WORDS[int(hang) // MINUTE]} minutes"
    )


def test_time_until_another_worker_looks() -> None:
    """kombu restores messages in one of several calls, which it makes at intervals."""
    each = inspect.signature(redis.QoS.restore_visible).parameters["interval"].default
    pause = redis.Channel.unacked_restore_interval
    assert contract_says(
        f"up to an hour, and up to {each * pause} seconds more until another worker checks"
    )
    assert constants(EXAMPLE / "worker.py")["VISIBILITY_SECONDS"] == 60 * MINUTE


def test_times_of_an_interruption() -> None:
    soft = constants(EXAMPLE / "worker.py")["SOFT_SHUTDOWN_SECONDS"]
    reserve = constants(EXAMPLE / "shutdown.py")["RESERVE_SECONDS"]
    task = rendered_variant("prod").layers["compute"]["Resources"]["WorkerTaskDefinition"]
    (container,) = task["Properties"]["ContainerDefinitions"]

    assert contract_says("| 0 | SIGTERM")
    assert contract_says(f"| 0–{soft} | soft shutdown")  # noqa: RUF001
    assert contract_says(f"| {soft} | completed tasks are acknowledged")
    assert contract_says(f"| ~{soft + 2} | the worker has stopped")
    assert contract_says(f"| {soft + reserve} | if the shutdown hangs")
    assert contract_says(f"| {container['StopTimeout']} | SIGKILL")


def test_times_of_the_change_of_owner() -> None:
    assert contract_says(f"waits for at most {WORDS[int(LOCK_SECONDS)]} second at a time")
    assert contract_says(f"retries for about {WORDS[PATIENCE_SECONDS // MINUTE]} minutes")


def test_names_of_the_keys_in_the_cache() -> None:
    assert contract_says(f"into the sorted set `{WORKERS_ALIVE}`")
    assert contract_says(f"of its last round into `{BEAT_ALIVE}`")
    assert says(f"in the key `{progress.KEY}` under Celery's prefix")


def test_the_default_queue_is_that_of_celery() -> None:
    default = built().root.declarations["WorkerQueues"].default
    assert default == Celery(set_as_current=False).conf.task_default_queue
    assert contract_says(f"The default queue is `{default}`")


def test_versions_of_the_clients() -> None:
    (required,) = (
        found[1]
        for each in metadata.requires("kombu") or ()
        if (found := re.match(r"redis[^;]*>=(\d+\.\d+)", each))
    )
    kombu, celery = (
        ".".join(metadata.version(name).split(".")[:2]) for name in ("kombu", "celery")
    )
    assert contract_says(f"redis-py before {required.split('.')[0]} does not")
    assert contract_says(f"kombu {kombu} requires {required}")
    assert contract_says(f"Tested with Celery {celery}")
