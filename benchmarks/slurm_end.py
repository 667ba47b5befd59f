"""How soon nothing is left of a run on Slurm, after Ctrl-C and after kill -9."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

from benchmarks.commands import BenchmarkError, Setting
from benchmarks.figures import Aim, Figure
from benchmarks.slurm_bench import CORES, JOBS, LIMIT_S, Bench, bench_on_slurm, wait_for
from tests.cluster.launches import SLOW, settings
from tests.cluster.processes import Command

IMAGES = 40
SHORT_LEASE_S = 10.0
DEFAULT_LEASE_S = 60.0


def figures(setting: Setting) -> Iterator[Figure]:
    rounds = 1 if setting.quick else 5
    with bench_on_slurm(IMAGES) as bench:
        leases = {SHORT_LEASE_S: rounds}
        if not setting.quick:
            leases[DEFAULT_LEASE_S] = 1
        yield Figure(
            name="Slurm: Ctrl-C to verified empty queue",
            unit="s",
            values=tuple(_ended_s(bench, SHORT_LEASE_S, n) for n in range(rounds)),
            aim=Aim(limit=10),
            remark=f"{JOBS} jobs run, {JOBS} wait",
        )
        for lease_s, times in leases.items():
            yield Figure(
                name=f"Slurm: kill -9 to empty queue, lease {lease_s:.0f} s",
                unit="s",
                values=tuple(_killed_s(bench, lease_s, n) for n in range(times)),
                aim=Aim(limit=lease_s + 10),
                remark="nobody cancels: the workers see their lease run out",
            )


def _under_way(bench: Bench, lease_s: float, name: str) -> Command:
    """Start a run whose jobs are twice what the nodes take."""
    out = bench.slurm.work / name
    beat_s = min(5.0, lease_s / 10)
    site = bench.slurm.site("lease.toml", cores=CORES, lease_s=lease_s, beat_s=beat_s)
    words = bench.run_words(
        bench.sky.first(IMAGES), out, workers=2 * JOBS * CORES, site=site
    )
    command = bench.start([*words, *settings(SLOW)])
    found = out / "measurements"
    wait_for(lambda: any(found.glob("*.h5")), command)
    return command


def _ended_s(bench: Bench, lease_s: float, number: int) -> float:
    command = _under_way(bench, lease_s, f"ended-{number}")
    started = time.perf_counter()
    command.send(signal.SIGINT)
    command.wait(LIMIT_S)
    took_s = time.perf_counter() - started
    if bench.slurm.squeue():
        raise BenchmarkError("jobs are left")
    return took_s


def _killed_s(bench: Bench, lease_s: float, number: int) -> float:
    command = _under_way(bench, lease_s, f"killed-{lease_s:.0f}-{number}")
    started = time.perf_counter()
    command.send(signal.SIGKILL)
    command.wait(LIMIT_S)
    wait_for(lambda: not bench.slurm.squeue())
    took_s = time.perf_counter() - started
    bench.slurm.tidy()
    return took_s
