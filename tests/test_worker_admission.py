"""Who may work, and how the others leave: real worker processes."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fleet import Fleet, one_fleet, worker_command
from trap_hpc.engines.broker import write_broker
from trap_hpc.engines.lease import Beat, write_beat
from trap_hpc.files import checksum
from trap_hpc.identity import identity, write_snapshot
from trap_hpc.worker.admission import DIAL_S, NotAdmittedError, admit
from trap_hpc.worker.place import Place
from trap_hpc.worker.roll import Roll
from trap_hpc.worker.rollcall import RollCall, read_roll_calls

__all__ = ["one_fleet"]


def the_call(fleet: Fleet) -> RollCall:
    (call,) = read_roll_calls(fleet.paths.roll_calls, 1)
    return call


def exit_code(fleet: Fleet) -> int:
    return fleet.start_worker("7_1").wait(30)


def assert_told(fleet: Fleet, *words: str) -> None:
    """Say it in the log, in one line, without a traceback."""
    logs = fleet.logs()
    assert "Traceback" not in logs
    for word in words:
        assert word in logs


def test_other_code_is_refused_and_both_are_named(one_fleet: Fleet) -> None:
    other = replace(one_fleet.broker, identity="0123456789abcdef")
    write_broker(one_fleet.paths.broker, other)
    one_fleet.send("sleep-0-1")
    began_s = time.monotonic()
    assert exit_code(one_fleet) == 78
    assert time.monotonic() - began_s < 10
    call = the_call(one_fleet)
    assert (call.state, call.job) == ("refused", "7_1")
    assert (call.identity, call.expected) == (identity(), "0123456789abcdef")
    assert identity() in call.message
    assert "0123456789abcdef" in call.message
    assert_told(one_fleet, identity(), "0123456789abcdef")
    assert one_fleet.executed() == []


def test_a_snapshot_that_was_tampered_with_is_refused(one_fleet: Fleet) -> None:
    paths = one_fleet.paths
    made = write_snapshot(paths.code)
    write_broker(paths.broker, replace(one_fleet.broker, snapshot=made))
    content = bytearray(paths.code.read_bytes())
    content[len(content) // 2] ^= 1
    paths.code.write_bytes(bytes(content))
    assert exit_code(one_fleet) == 78
    assert the_call(one_fleet).state == "refused"
    assert checksum(bytes(content)) in the_call(one_fleet).message
    assert_told(one_fleet, str(paths.code), made)


def test_a_worker_of_a_run_from_its_snapshot_is_admitted(one_fleet: Fleet) -> None:
    paths = one_fleet.paths
    made = write_snapshot(paths.code)
    write_broker(paths.broker, replace(one_fleet.broker, snapshot=made))
    one_fleet.start_worker(PYTHONPATH=str(paths.code))
    one_fleet.wait_for_workers(1)
    assert the_call(one_fleet).identity == identity()


@pytest.mark.parametrize(
    "what", ["no broker.json", "another epoch", "no lease", "another lease"]
)
def test_a_worker_that_comes_too_late_does_nothing(one_fleet: Fleet, what: str) -> None:
    paths = one_fleet.paths
    one_fleet.alive.clear()
    time.sleep(0.1)
    match what:
        case "no broker.json":
            paths.broker.unlink()
        case "another epoch":
            write_broker(paths.broker, replace(one_fleet.broker, epoch=2))
        case "no lease":
            paths.lease.unlink(missing_ok=True)
        case "another lease":
            write_beat(paths.lease, Beat(2, 1))
    began_s = time.monotonic()
    assert exit_code(one_fleet) == 0
    assert time.monotonic() - began_s < 10, "a node is not kept waiting"
    assert the_call(one_fleet).state == "late"
    assert_told(one_fleet, "there is nothing to do")


def test_a_lease_that_stands_still_is_a_dead_launcher(one_fleet: Fleet) -> None:
    one_fleet.alive.clear()
    time.sleep(0.1)
    write_broker(one_fleet.paths.broker, replace(one_fleet.broker, lease_s=2.0))
    one_fleet.send("sleep-0-1")
    assert exit_code(one_fleet) == 0
    assert the_call(one_fleet).state == "late"
    assert one_fleet.executed() == []


def test_all_addresses_are_dialled_and_the_first_that_answers_wins(
    one_fleet: Fleet,
) -> None:
    addresses = ("127.0.0.9", "127.0.0.1")
    write_broker(one_fleet.paths.broker, replace(one_fleet.broker, addresses=addresses))
    one_fleet.start_worker("7_1")
    one_fleet.wait_for_workers(1)
    (member,) = one_fleet.engine.members()
    assert member.address == "127.0.0.1"
    call = the_call(one_fleet)
    assert [one.address for one in call.tries] == list(addresses)
    assert call.tries[0].error
    assert not call.tries[1].error
    assert (call.state, call.address) == ("connected", "127.0.0.1")


def test_a_broker_that_nothing_leads_to_is_told_with_all_tries(
    one_fleet: Fleet,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    changed = replace(one_fleet.broker, addresses=("127.0.0.1", "127.0.0.8"), port=port)
    write_broker(one_fleet.paths.broker, changed)
    began_s = time.monotonic()
    assert exit_code(one_fleet) == 69
    assert time.monotonic() - began_s < 20
    call = the_call(one_fleet)
    assert call.state == "unreachable"
    assert all("refused" in one.error for one in call.tries)
    assert "127.0.0.8" in call.message
    assert_told(one_fleet, "127.0.0.1", "127.0.0.8")


def test_without_broker_and_launcher_there_is_nothing_to_do(one_fleet: Fleet) -> None:
    one_fleet.alive.clear()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    write_broker(one_fleet.paths.broker, replace(one_fleet.broker, port=port))
    assert exit_code(one_fleet) == 0
    assert the_call(one_fleet).state == "unreachable"


def test_a_broker_that_takes_the_place_of_one_that_died_is_found(
    one_fleet: Fleet,
) -> None:
    broker, credentials = one_fleet.broker, one_fleet.paths.broker
    with socket.create_server(("127.0.0.1", 0)) as taken:
        gone = replace(broker, port=taken.getsockname()[1])
    write_broker(credentials, gone)
    one_fleet.start_worker("7_1")
    one_fleet.wait_for(lambda: "dialling again" in one_fleet.logs())
    write_broker(credentials, broker)
    one_fleet.wait_for_workers(1)
    one_fleet.wait_for(lambda: the_call(one_fleet).state == "connected")


def test_one_that_was_there_dials_as_long_as_the_lease_holds(
    one_fleet: Fleet,
) -> None:
    """Also if the broker lets it in, and says nothing for longer than a lease."""
    fleet, lease_s = one_fleet, 2.0
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        port = silent.getsockname()[1]
        changed = replace(fleet.broker, scheme="rediss", port=port, lease_s=lease_s)
        write_broker(fleet.paths.broker, changed)
        last = threading.Timer(2 * lease_s, fleet.alive.clear)
        last.start()
        began_s = time.monotonic()
        with pytest.raises(NotAdmittedError, match="timed out"):
            admit(fleet.paths, 1, Roll(fleet.paths.roll_calls, PLACE, 1), patient=True)
        assert 2 * lease_s < time.monotonic() - began_s < DIAL_S
        last.join()


PLACE = Place(job="7_1", node="n1", cores=1, memory_bytes=0, left_s=None)


def test_a_worker_tells_what_its_job_gave_it(one_fleet: Fleet) -> None:
    one_fleet.start_worker(
        "",
        SLURM_ARRAY_JOB_ID="12",
        SLURM_ARRAY_TASK_ID="3",
        SLURM_JOB_ID="15",
        SLURM_CPUS_PER_TASK="1",
        TRAP_HPC_CORES="",
        SLURM_MEM_PER_NODE="2048",
        # By another clock than ours: what counts is how long it was given.
        SLURM_JOB_START_TIME="1000000000",
        SLURM_JOB_END_TIME="1000003600",
        TRAP_HPC_JOB_BEGAN=str(int(time.time())),
        SLURMD_NODENAME="n7",
    )
    one_fleet.wait_for_workers(1)
    call = the_call(one_fleet)
    assert (call.job, call.node, call.cores) == ("12_3", "n7", 1)
    assert call.memory_bytes == 2 * 2**30
    assert call.ends_s is not None
    assert 3540 < call.ends_s - time.time() <= 3600
    assert call.python == sys.executable
    (member,) = one_fleet.engine.members()
    assert (member.job, member.node, member.slots) == ("12_3", "n7", 1)
    assert member.left_s is not None
    assert 3540 < member.left_s < 3600


def test_no_secret_is_said(one_fleet: Fleet) -> None:
    fleet = one_fleet
    worker = fleet.start_worker(slots=2)
    fleet.wait_for_workers(1)
    fleet.send("sleep-0-1")
    fleet.hear(1)
    worker.terminate()
    worker.wait()
    secret = fleet.broker.password
    assert secret
    calls = [path.read_text() for path in fleet.paths.roll_calls.iterdir()]
    command = json.dumps(worker_command(fleet.paths, 1))
    assert not any(secret in text for text in [fleet.logs(), command, *calls])


def test_a_command_line_that_is_none_is_told(tmp_path: Path, one_fleet: Fleet) -> None:
    worker = one_fleet.start_worker(epoch=-1)
    assert worker.wait(30) == 2
    assert "usage:" in one_fleet.logs()
