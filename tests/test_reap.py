"""Reaping: what is dead is removed, what lives is not touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.sessions import Stage, a_broker, a_record
from tests.stand_ins import RUN, Cluster
from trap_hpc.alive import Launcher, still_runs, this_process
from trap_hpc.engines.broker import write_broker
from trap_hpc.engines.lease import Beat, write_beat
from trap_hpc.errors import SchedulerError
from trap_hpc.run.session.reap import Reaper, leftovers
from trap_hpc.run.session.record import SessionRecord, read_session, write_session
from trap_hpc.schedulers.base import State


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def of_process(launcher: Launcher, **changes: object) -> SessionRecord:
    return a_record(
        host=launcher.host,
        machine=launcher.machine,
        pid=launcher.pid,
        launcher_began_s=launcher.began_s,
        **changes,
    )


def gone() -> Launcher:
    """A launcher of this machine whose number another process has by now."""
    return replace(this_process(), began_s=this_process().began_s - 1000)


def reaper(stage: Stage, **changes: object) -> Reaper:
    facts: dict[str, object] = {
        "scheduler_of": lambda _: stage.cluster,
        "remove_broker": lambda folder: stage.said.append(f"broker in {folder}"),
        "clear_broker": lambda broker: stage.said.append(f"broker at {broker.port}"),
        "clock": stage.time,
        "sleep": stage.time.sleep,
        "say": stage.said.append,
    }
    return Reaper(**(facts | changes))  # type: ignore[arg-type]


def left_behind(stage: Stage, record: SessionRecord) -> None:
    write_session(stage.directory, record)
    write_broker(stage.paths.broker, a_broker())
    write_beat(stage.paths.lease, Beat(1, 77))
    for task in range(3):
        stage.cluster.put(f"1_{task}", State.RUNNING, "RUNNING")


def test_a_process_is_known_by_its_beginning() -> None:
    us = this_process()
    assert still_runs(us) is True
    assert still_runs(gone()) is False
    assert still_runs(replace(us, machine="another boot")) is None
    assert still_runs(replace(us, machine="", began_s=0.0)) is None
    assert still_runs(replace(us, machine="")) is True


def test_a_dead_launcher_of_this_machine_is_reaped_at_once(stage: Stage) -> None:
    left_behind(stage, of_process(gone(), broker_folder="/tmp/of-the-broker"))
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "removed"
    assert reaped.text == (
        "its launcher is gone; 3 jobs submitted, 0 left (asked squeue)"
    )
    assert "broker in /tmp/of-the-broker" in stage.said
    assert not stage.paths.broker.exists()
    assert not stage.paths.lease.exists()
    assert not leftovers({RUN: stage.directory})
    record = read_session(stage.directory)
    assert record is not None
    assert record.remark == "its launcher is gone; reaped"
    assert stage.time() - 1000 < 5


def test_credentials_that_were_just_being_written_are_removed(stage: Stage) -> None:
    left_behind(stage, of_process(gone()))
    half = stage.paths.broker.with_name(".broker.json.4711.tmp")
    half.write_text("secret")
    reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert not half.exists()


def test_a_launcher_that_is_there_is_not_touched(stage: Stage) -> None:
    left_behind(stage, of_process(this_process()))
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "alive"
    assert stage.paths.broker.exists()
    assert stage.cluster.calls == []


def test_a_launcher_of_another_host_is_dead_if_its_lease_stands_still(
    stage: Stage,
) -> None:
    left_behind(stage, a_record(lease_s=30.0, broker_folder="/tmp/over-there"))
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "removed"
    assert stage.time() - 1000 > 30
    assert "watching for 30 s" in stage.told
    assert "broker in" not in stage.told


def test_a_launcher_of_another_host_that_renews_is_not_touched(stage: Stage) -> None:
    left_behind(stage, a_record(lease_s=30.0))

    def renew(now_s: float) -> None:
        if now_s >= 1029:
            write_beat(stage.paths.lease, Beat(1, 78))

    stage.time.then = renew
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "alive"
    assert stage.cluster.calls == []
    assert stage.paths.broker.exists()


def test_all_leases_are_watched_at_the_same_time(stage: Stage, tmp_path: Path) -> None:
    runs = {}
    for number in range(5):
        directory = tmp_path / str(number)
        directory.mkdir()
        write_session(directory, a_record(run_id=f"trap-{number}", arrays=()))
        runs[f"trap-{number}"] = directory
    done = reaper(stage).reap(leftovers(runs))
    assert [each.verdict for each in done] == ["removed"] * 5
    assert stage.time() - 1000 < 10 + 1 + 5 * 2


def test_a_session_that_went_on_meanwhile_is_not_touched(stage: Stage) -> None:
    left_behind(stage, a_record())
    found = leftovers({RUN: stage.directory})
    write_session(stage.directory, a_record(epoch=2))
    (reaped,) = reaper(stage).reap(found)
    assert reaped.verdict == "changed"
    assert stage.paths.broker.exists()


def test_a_session_that_begins_while_the_last_one_is_reaped_keeps_its_jobs(
    stage: Stage,
) -> None:
    """They have the same name: two commands reap, and one of them goes on."""
    left_behind(stage, of_process(gone()))

    def go_on(now_s: float) -> None:
        if now_s == 1000:  # nobody has waited yet
            return
        stage.cluster.end("CANCELLED")
        stage.cluster.put("2_0", State.PENDING, "PENDING")
        write_session(stage.directory, a_record(epoch=2, arrays=("2",)))

    stage.time.then = go_on
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "changed"
    assert stage.cluster.calls.count("cancel") == 1
    assert stage.cluster.table["2_0"].state is State.PENDING
    assert stage.paths.broker.exists()
    assert stage.paths.lease.exists()
    record = read_session(stage.directory)
    assert record is not None
    assert (record.epoch, record.up) == (2, True)


def test_jobs_of_another_cluster_are_not_judged(stage: Stage) -> None:
    left_behind(stage, of_process(gone(), cluster="beta"))
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "elsewhere"
    assert "beta" in reaped.text
    assert "cancel" not in stage.cluster.calls
    assert leftovers({RUN: stage.directory})


def test_a_broker_of_the_users_own_is_cleared(stage: Stage) -> None:
    left_behind(stage, of_process(gone()))
    write_broker(stage.paths.broker, a_broker(private=False, port=5672))
    reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert "broker at 5672" in stage.said
    assert not stage.paths.broker.exists()


def test_credentials_that_can_not_be_read_are_removed_all_the_same(
    stage: Stage,
) -> None:
    left_behind(stage, of_process(gone()))
    stage.paths.broker.write_text("secret")
    (reaped,) = reaper(stage).reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "removed"
    assert "could not stop the broker" in reaped.text
    assert not stage.paths.broker.exists()


def test_a_scheduler_that_does_not_answer_leaves_it_for_later(stage: Stage) -> None:
    left_behind(stage, of_process(gone()))

    class Down(Cluster):
        def cluster(self) -> str:
            raise SchedulerError("Unable to contact slurm controller")

    done = reaper(stage, scheduler_of=lambda _: Down())
    (reaped,) = done.reap(leftovers({RUN: stage.directory}))
    assert reaped.verdict == "unknown"
    assert "Unable to contact" in reaped.text
    assert leftovers({RUN: stage.directory})


def test_a_dry_run_removes_nothing(stage: Stage) -> None:
    left_behind(stage, of_process(gone()))
    found = leftovers({RUN: stage.directory})
    (reaped,) = reaper(stage, dry_run=True).reap(found)
    assert reaped.verdict == "dead"
    assert "3 jobs left (asked squeue): 1_[0-2] running (RUNNING) on n1" in reaped.text
    assert stage.paths.broker.exists()
    assert "cancel" not in stage.cluster.calls


def test_records_that_can_not_be_read_are_left_alone(stage: Stage) -> None:
    stage.paths.session.write_text('{"schema_version": 99}')
    assert leftovers({RUN: stage.directory}) == []
    assert leftovers({RUN: stage.directory / "gone"}) == []
