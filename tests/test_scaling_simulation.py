"""The mechanics of the simulation of docs/scaling.md, and the results on the page."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scaling.document import PICTURE, VARIANTS_PICTURE, numbers
from benchmarks.scaling.fleet import BACKLOG, CPU, Assumptions, Fleet, Options, Run
from benchmarks.scaling.load import Job, Reclaim, Scenario
from benchmarks.scaling.picture import CHUNK, Picture, digest, draw
from benchmarks.scaling.policy import Policy, Scaler, configuration
from benchmarks.scaling.results import Results, results
from benchmarks.scaling.variants import DELAYED, row
from pipeline.checks.render import render
from pipeline.release.assemble import Release
from templates_src.compute.capacity import BASE_ON_DEMAND
from templates_src.compute.scaling import SCALE_IN_SECONDS, SCALE_OUT_SECONDS
from templates_src.compute.tasks.workloads import WORKER_STOP_SECONDS

POLICY = Policy(target=10, least=2, most=10, out_cooldown=60, in_cooldown=300)
AT_ONCE = Assumptions(start=(0.0, 0.0), metric_delay=0)


@pytest.fixture(scope="module")
def found() -> Results:
    return results()


def fleet(
    *jobs: Job,
    policy: Policy = POLICY,
    metric: str = BACKLOG,
    assumptions: Assumptions = AT_ONCE,
    reclaims: tuple[Reclaim, ...] = (),
) -> Fleet:
    return Fleet(Scenario("test", jobs, reclaims), Scaler(policy), metric, assumptions)


def jobs(count: int, seconds: float = 6.0, sent: float = 0.0) -> list[Job]:
    return [Job(sent, seconds)] * count


def desired(points: list[float], policy: Policy = POLICY, current: int = 2) -> list[int]:
    """The number of tasks after each minute's data point."""
    scaler, counts = Scaler(policy), []
    for minute, point in enumerate(points, start=1):
        current = scaler.desired(minute * 60.0, current, point)
        counts.append(current)
    return counts


def test_policy_is_that_of_the_environment(release: Release) -> None:
    given = {
        "WorkerMinTasks": "3",
        "WorkerMaxTasks": "7",
        "WorkerBacklogTarget": "33",
        "WorkerCpu": "512",
        "CpuArchitecture": "X86_64",
    }
    worker = configuration(render(release, "dev", overrides=given))
    assert (worker.policy.least, worker.policy.most, worker.policy.target) == (3, 7, 33)
    assert (worker.vcpu, worker.gigabytes, worker.architecture) == (0.5, 2, "X86_64")
    cooldowns = (worker.policy.out_cooldown, worker.policy.in_cooldown)
    assert cooldowns == (SCALE_OUT_SECONDS, SCALE_IN_SECONDS)
    assert worker.stop_seconds == WORKER_STOP_SECONDS


def test_scales_out_after_three_minutes_above_the_target() -> None:
    assert desired([10.1, 10.1, 10.1]) == [2, 2, 3]
    assert desired([10.0, 10.0, 10.0, 10.0]) == [2, 2, 2, 2]
    assert desired([30, 30, 10, 30, 30, 30]) == [2, 2, 2, 2, 2, 6]


def test_scales_in_after_fifteen_minutes_below_nine_tenths() -> None:
    assert desired([8.9] * 16, current=10) == [10] * 14 + [9, 9]
    assert desired([9.0] * 30, current=10) == [10] * 30
    interrupted = [4.0] * 14 + [9.5] + [4.0] * 15
    assert desired(interrupted, current=10) == [10] * 29 + [4]


def test_stays_within_its_bounds() -> None:
    assert desired([1e6] * 5)[-1] == POLICY.most
    assert desired([0.0] * 60, current=10)[-1] == POLICY.least


def test_rests_between_steps() -> None:
    slow = Policy(target=10, least=1, most=100, out_cooldown=180, in_cooldown=600)
    assert desired([20.0] * 9, slow, current=1) == [1, 1, 2, 2, 2, 4, 4, 4, 8]
    steps = desired([8.0] * 26, slow, current=10)
    assert (steps[13], steps[14], steps[23], steps[24]) == (10, 8, 8, 7)


def test_data_points_arrive_after_a_minute() -> None:
    assert Assumptions().metric_delay == 1
    delayed = replace(AT_ONCE, metric_delay=1)
    first = [
        next(minute for minute, each in enumerate(run.minutes) if each.desired > POLICY.least)
        for run in (
            fleet(*jobs(1000), assumptions=assumed).play(1200) for assumed in (AT_ONCE, delayed)
        )
    ]
    assert first[1] == first[0] + 1


def test_without_data_nothing_changes() -> None:
    scaler = Scaler(POLICY)
    assert scaler.desired(60.0, 5, None) == 5


@pytest.mark.parametrize("metric", [BACKLOG, CPU])
def test_no_job_is_lost(metric: str) -> None:
    reclaims = (Reclaim(400.0, 1.0, 300.0), Reclaim(900.0, 0.5, 0.0))
    for until in (350, 450, 560, 1500, 5500):
        running = fleet(*jobs(300, 200.0), *jobs(100, sent=700), metric=metric, reclaims=reclaims)
        run = running.play(until)
        assert run.sent == run.finished + running.depth(1e9) == (400 if until > 700 else 300)
        assert len(running.lost) > 0 or until != 560
    assert (run.finished, run.repeated > 0) == (400, True)


def test_workers_never_exceed_the_maximum() -> None:
    running = fleet(*jobs(5000))
    run = running.play(3600)
    assert max(minute.desired for minute in run.minutes) == POLICY.most
    assert max(minute.running for minute in run.minutes) == POLICY.most
    assert min(minute.running for minute in run.minutes) == POLICY.least


def test_each_process_has_one_job() -> None:
    running = fleet(*jobs(100, 1000.0), policy=Policy(10, 2, 2, 60, 300))
    running.play(60)
    assert (running.in_work, running.depth(1e9)) == (2 * running.assumptions.processes, 100)


def test_worker_takes_no_job_before_its_start() -> None:
    late = Assumptions(start=(600.0, 600.0), metric_delay=0)
    run = fleet(*jobs(1000), assumptions=late).play(1200)
    more = [minute for minute, each in enumerate(run.minutes) if each.desired > 2]
    there = [minute for minute, each in enumerate(run.minutes) if each.running > 2]
    assert (more[0], there[0]) == (2, 12)


def test_spot_notice_lets_only_short_jobs_end() -> None:
    one = Policy(target=1000, least=1, most=1, out_cooldown=60, in_cooldown=300)
    reclaim = (Reclaim(10.0, 1.0, 5000.0),)
    running = fleet(Job(0.0, 100.0), Job(0.0, 200.0), policy=one, reclaims=reclaim)
    run = running.play(131)
    # The notice is two minutes: the first job ends, and no running worker has the second.
    assert (run.finished, len(running.lost), len(running.workers)) == (1, 1, 0)
    run = fleet(Job(0.0, 100.0), Job(0.0, 200.0), policy=one, reclaims=reclaim).play(3599)
    assert (run.finished, run.repeated) == (1, 0)
    run = fleet(Job(0.0, 100.0), Job(0.0, 200.0), policy=one, reclaims=reclaim).play(5400)
    assert (run.finished, run.repeated) == (2, 1)


def test_spot_has_no_capacity_during_a_shortage() -> None:
    run = fleet(reclaims=(Reclaim(60.0, 1.0, 600.0),)).play(900)
    assert [minute.running for minute in run.minutes] == [2] + [0] * 9 + [0] + [2] * 4


def test_stopping_workers_finish_their_jobs() -> None:
    few = Policy(target=10, least=1, most=10, out_cooldown=60, in_cooldown=0)
    running = fleet(*jobs(3, 100.0), policy=few)
    running.desired = 3
    running.play(10)
    running.desired = 1
    run = running.run
    for second in range(10, 131):
        running.progress(second)
        running.schedule(second)
        running.take(second)
    assert (run.finished, run.repeated, len(running.workers)) == (3, 0, 1)


def test_cpu_is_that_of_the_jobs() -> None:
    waiting = Assumptions(start=(0.0, 0.0), metric_delay=0, io_share=0.8)
    run = fleet(*jobs(100, 1000.0), metric=CPU, assumptions=waiting).play(120)
    assert run.minutes[1].metric == pytest.approx(40.0)
    computing = Assumptions(start=(0.0, 0.0), metric_delay=0, io_share=0.0)
    run = fleet(*jobs(100, 1000.0), metric=CPU, assumptions=computing).play(120)
    assert run.minutes[1].metric == pytest.approx(100.0)


def test_cost_follows_the_running_tasks() -> None:
    assert fleet().play(3600).worker_seconds == 2 * 3600


def test_every_scenario_completes_all_jobs(found: Results) -> None:
    for each in found.outcomes:
        assert each.cleared
        assert each.run.sent >= each.run.finished > 0.99 * each.run.sent


def test_page_has_the_output_of_the_program(found: Results) -> None:
    assert numbers() == found.texts, "Run: python -m benchmarks.scaling"


def test_cpu_adds_no_worker_if_jobs_wait_and_is_as_good_if_they_compute(found: Results) -> None:
    runs = {(each.scenario.name, each.contender.name): each for each in found.outcomes}
    lasting = []
    for load in ("burst", "ramp", "Spot reclaim"):
        waiting = runs[load, "CPU, jobs wait 80 % for I/O"]
        assert max(minute.desired for minute in waiting.run.minutes) == found.worker.policy.least
        lasting.append(waiting.backlog_minutes)
        computing, backlog = (
            sorted(runs[load, name].run.waits)
            for name in ("CPU, jobs wait 50 % for I/O", "backlog")
        )
        assert computing[len(computing) * 95 // 100] < 1.2 * backlog[len(backlog) * 95 // 100]
    assert sorted(lasting)[1] > 2 * 60, "hours"


def test_same_input_same_result(found: Results) -> None:
    assert results().texts == found.texts


@pytest.mark.parametrize("name", ["policies", "options"])
def test_picture_is_of_these_runs(found: Results, name: str, tmp_path: Path) -> None:
    path = {"policies": PICTURE, "options": VARIANTS_PICTURE}[name]
    picture: Picture = getattr(found, name)
    assert texts(path)[CHUNK] == digest(picture), "Run: python -m benchmarks.scaling"

    first, second = tmp_path / "1.png", tmp_path / "2.png"
    draw(picture, first)
    draw(picture, second)
    assert first.read_bytes() == second.read_bytes()


def variant(found: Results, load: str, name: str) -> Run:
    (run,) = (
        each.run for each in found.variants if (each.scenario.name, each.name) == (load, name)
    )
    return run


def test_delayed_jobs_add_no_worker_before_their_time(found: Results) -> None:
    run = variant(found, "delayed jobs", "delayed jobs are no backlog")
    # Sent in minute 30, for minute 60.
    assert max(minute.running for minute in run.minutes[:60]) == 2
    assert max(minute.depth for minute in run.minutes[:60]) < 20 < run.minutes[60].depth
    counted = variant(found, "delayed jobs", "every job is backlog")
    assert max(minute.running for minute in counted.minutes[:60]) == 10
    # Two workers of two processes do them, jobs of six seconds, however many workers run.
    alone = DELAYED * 6 / (2 * AT_ONCE.processes)
    assert max(run.waits) == max(counted.waits) >= alone
    assert max(minute.running for minute in run.minutes[60:]) > 2


@pytest.mark.parametrize(
    ("capacity", "running"), [("spot", 0), ("base-on-demand", 2), ("on-demand", 10)]
)
def test_an_hour_without_spot(found: Results, capacity: str, running: int) -> None:
    run = variant(found, "hour without Spot", f"WorkerCapacity {capacity}")
    assert max(minute.running for minute in run.minutes[65:119]) == running
    waited = max(run.waits)
    assert (waited > 3600) is (capacity == "spot"), "jobs wait for the whole hour"
    assert (waited < 300) is (capacity == "on-demand"), "nothing happens"


def test_price_of_an_hour_on_demand(found: Results) -> None:
    spot, on_demand = (
        float(row(found.worker, each)[-1])
        for name in ("spot", "on-demand")
        for each in found.variants
        if each.name == f"WorkerCapacity {name}"
    )
    assert on_demand / spot > 3


def test_protected_tasks_repeat_no_job(found: Results) -> None:
    protected = variant(found, "scale-in", "tasks protected")
    assert protected.repeated == 0 < variant(found, "scale-in", "tasks not protected").repeated
    desired = [minute.desired for minute in protected.minutes]
    assert min(desired) < max(desired), "workers were removed"


def test_capacity_of_a_base() -> None:
    ten = Policy(target=1, least=2, most=22, out_cooldown=60, in_cooldown=300)
    running = Fleet(
        Scenario("test", jobs(1000, 5000.0)),
        Scaler(ten),
        BACKLOG,
        AT_ONCE,
        options=Options(BASE_ON_DEMAND),
    )
    running.play(1200)
    on_spot = [worker.on_spot for worker in running.workers]
    assert (on_spot.count(False), on_spot.count(True)) == (2 + 2, 18)


def texts(path: Path) -> dict[str, str]:
    """The text chunks of a PNG file."""
    return dict(
        body.decode("latin-1").split("\0", 1) for kind, body in chunks(path) if kind == b"tEXt"
    )


def chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each chunk; their sums are right."""
    data, at = path.read_bytes(), 8
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        (checked,) = struct.unpack_from(">I", data, at + 8 + length)
        assert checked == zlib.crc32(kind + body)
        yield kind, body
        at += 12 + length
