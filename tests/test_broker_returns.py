"""A broker of the user's that dies and comes back: nothing is lost or done twice."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.fleet import BEAT_S, Fleet, fleet, new_run
from tests.restarting import KINDS, Server, beside, reachable, server_of
from trap_hpc.engines.base import Finished, Lost
from trap_hpc.engines.broker import write_broker
from trap_hpc.identity import identity
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.session.events import Event
from trap_hpc.run.session.patience import PatientEngine

KILLS = int(os.environ.get("TRAP_HPC_TEST_KILLS", "2"))
LEASE_S = 30.0


@dataclass
class Night:
    """A fleet at work over a broker that others kill."""

    fleet: Fleet
    server: Server
    engine: PatientEngine
    told: list[Event]
    done: Counter[str] = field(default_factory=Counter)
    losses: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    """From the broker's answer to the next task that is done."""

    def work(self, count: int, within_s: float = 60.0) -> None:
        """Have ``count`` tasks done, as the driver would."""
        engine, run = self.engine, str(self.fleet.paths.directory)
        waiting = deque(Task(run=run, batch=f"sleep-0.2-{n}") for n in range(count))
        under_way: set[Task] = set()
        until_s = time.monotonic() + within_s
        while sum(self.done.values()) < count:
            assert time.monotonic() < until_s, f"{self.told}\n{self.fleet.logs()}"
            while waiting and len(under_way) < engine.capacity:
                under_way.add(task := waiting.popleft())
                engine.submit(task)
            for outcome in engine.outcomes(0.2):
                under_way.remove(outcome.task)
                if isinstance(outcome, Finished):
                    self.done[outcome.task.batch] += 1
                    continue
                assert isinstance(outcome, Lost), outcome
                self.losses += 1
                attempt = outcome.task.attempt + 1
                waiting.append(replace(outcome.task, attempt=attempt))
        assert not under_way

    def kill_again_and_again(self, kills: int, choose: random.Random) -> None:
        """Kill the broker amid the work, and start it again."""
        for _ in range(kills):
            self._until_done(8)
            time.sleep(choose.uniform(0, 0.5))
            self.server.kill()
            time.sleep(choose.uniform(0, 5))
            self.server.start()
            self.recoveries_s.append(self._until_done(1))

    def _until_done(self, more: int) -> float:
        """Wait until so much more is done; return how many seconds it took."""
        wanted = sum(self.done.values()) + more
        began_s = time.monotonic()
        while sum(self.done.values()) < wanted:
            waited_s = time.monotonic() - began_s
            assert waited_s < 60, f"{self.told}\n{self.fleet.logs()}"
            time.sleep(0.05)
        return time.monotonic() - began_s

    @property
    def figures(self) -> str:
        times = sorted(self.recoveries_s)
        middle, worst = times[len(times) // 2], times[-1]
        anew = self.fleet.logs().count("starts anew")
        return (
            f"{len(times)} kills, work went on {middle:.1f} s after the broker (worst: "
            f"{worst:.1f} s); {len(self.sendings)} sendings executed for "
            f"{len(self.done)} tasks, {self.losses} lost and sent again, workers begun "
            f"anew {anew} times"
        )

    @property
    def sendings(self) -> list[str]:
        """What was executed, by batch and attempt."""
        lines = (self.fleet.paths.directory / "executed").read_text().splitlines()
        return [line.rpartition(" ")[0] for line in lines]


@pytest.fixture(params=KINDS)
def night(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Night]:
    paths = new_run(tmp_path / "run")
    with ExitStack() as stack:
        server = stack.enter_context(server_of(request.param))
        server.start()
        broker = reachable(
            server,
            f"trap-{abs(hash(tmp_path)):x}",
            identity=identity(),
            lease_s=LEASE_S,
            beat_s=BEAT_S,
        )
        write_broker(paths.broker, broker)
        made = stack.enter_context(fleet(paths, broker))
        told: list[Event] = []
        engine = PatientEngine(
            made.engine, "the.url", post=told.append, clock=time.monotonic
        )
        night = Night(made, server, engine, told)
        yield night
        # For people: ``pytest -s`` with more kills.
        sys.stdout.write(f"{request.param}: {night.figures}\n")


def test_a_broker_that_dies_amid_the_work_and_comes_back_costs_time_alone(
    night: Night,
) -> None:
    for number in range(2):
        night.fleet.start_worker(f"job-{number}", slots=2)
    night.fleet.wait_for_workers(2)

    def work() -> None:
        night.work(60 * KILLS, within_s=60 + 40 * KILLS)

    with beside(work):  # the server must not be a child of a thread that ends
        night.kill_again_and_again(KILLS, random.Random(KILLS))
    assert max(night.done.values()) == 1
    assert len(night.done) == 60 * KILLS
    twice = [each for each, times in Counter(night.sendings).items() if times > 1]
    assert not twice, "one sending was done twice"
    assert "Traceback" not in night.fleet.logs()
