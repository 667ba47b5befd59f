"""The launcher's side of the lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.stand_ins import Time
from trap_hpc.engines.lease import Beat, read_beat
from trap_hpc.errors import BrokerError
from trap_hpc.run.session.events import Event, Fatal, Say, Suspended
from trap_hpc.run.session.heart import Heart
from trap_hpc.run.session.threads import Repeating


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def heart(path: Path, events: SimpleQueue[Event]) -> Heart:
    return Heart(path, 3, lease_s=60, beat_s=0.02, post=events.put)


@pytest.fixture
def events() -> SimpleQueue[Event]:
    return SimpleQueue()


def test_the_file_counts_up_until_the_end(
    tmp_path: Path, events: SimpleQueue[Event]
) -> None:
    path = tmp_path / "lease"
    beating = heart(path, events)
    beating.start()
    assert read_beat(path) == Beat(3, 1) or read_beat(path)
    wait_until(lambda: (read_beat(path) or Beat(3, 0)).count > 3)
    beating.stop()
    assert not path.exists()
    assert events.empty()


def test_a_slow_broker_does_not_hold_up_the_file(
    tmp_path: Path, events: SimpleQueue[Event]
) -> None:
    path = tmp_path / "lease"
    beating = heart(path, events)
    beating.start()
    hanging = []

    def hang(beat: Beat) -> None:
        hanging.append(beat)
        time.sleep(0.5)

    beating.start_broker(hang)
    wait_until(lambda: bool(hanging))
    before = read_beat(path)
    wait_until(lambda: read_beat(path) != before)
    assert len(hanging) == 1
    beating.stop()


def test_a_way_that_goes_on_failing_is_told_once_and_tried_on(
    events: SimpleQueue[Event],
) -> None:
    clock = Time()
    beating = Heart(
        Path("lease"), 1, lease_s=60, beat_s=5, post=events.put, clock=clock
    )
    tried: list[Beat] = []

    def fail(beat: Beat) -> None:
        tried.append(beat)
        raise BrokerError("no answer")

    for _ in range(3):
        beating.renew_broker(fail)
        clock.sleep(5)
    assert events.empty(), "a broker that died is replaced within seconds"
    for _ in range(3):
        beating.renew_broker(fail)
        clock.sleep(5)
    assert [beat.count for beat in tried] == [1, 2, 3, 4, 5, 6]
    said = events.get_nowait()
    assert isinstance(said, Say)
    assert "can't renew the lease by broker, trying on: no answer" in said.text
    assert events.empty()


def test_beats_are_fast_in_the_first_minute_only() -> None:
    clock = Time()
    beating = Heart(
        Path("lease"), 1, lease_s=60, beat_s=5, post=lambda _: None, clock=clock
    )
    assert beating.renew_broker(lambda _: None) == 1.0
    clock.sleep(61)
    assert beating.renew_broker(lambda _: None) == 5.0


def test_a_thread_that_fails_says_so(events: SimpleQueue[Event]) -> None:
    def fail() -> float:
        raise KeyError("x")

    thread = Repeating("looking", fail, events.put)
    thread.start()
    news = events.get(timeout=10)
    assert news == Fatal("looking failed: KeyError: 'x'")
    thread.stop()


def test_a_thread_that_waits_can_be_woken(events: SimpleQueue[Event]) -> None:
    times: list[float] = []

    def work() -> float:
        times.append(time.monotonic())
        return 1000.0

    thread = Repeating("asking", work, events.put)
    thread.start()
    wait_until(lambda: len(times) == 1)
    thread.wake()
    wait_until(lambda: len(times) == 2)
    thread.stop()


def test_a_way_that_hangs_is_no_silence_while_the_other_goes_on(
    tmp_path: Path, events: SimpleQueue[Event]
) -> None:
    clock = Time()
    beating = Heart(
        tmp_path / "lease", 1, lease_s=10, beat_s=5, post=events.put, clock=clock
    )

    def hang(_: Beat) -> None:
        for __ in range(5):
            clock.sleep(5)
            beating.renew_file()

    beating.renew_broker(hang)
    assert events.empty()
    beating.renew_broker(lambda _: clock.sleep(11))
    assert events.get_nowait() == Suspended(11.0)


SLEEPER = """
import sys
from pathlib import Path
from queue import SimpleQueue
from trap_hpc.run.session.heart import Heart
events = SimpleQueue()
heart = Heart(Path(sys.argv[1]), 1, lease_s=0.3, beat_s=0.05, post=events.put)
heart.start()
print("beating", flush=True)
print(type(events.get(timeout=30)).__name__, flush=True)
"""


def test_a_launcher_that_was_suspended_notices(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, str(tmp_path / "lease")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "beating\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.6)  # that is what is tested
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout.readline() == f"{Suspended.__name__}\n"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]
