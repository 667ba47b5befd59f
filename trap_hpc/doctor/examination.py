"""Bringing up one tiny session on a site, and noting what can be seen of it."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from trap_hpc.config import load
from trap_hpc.config.forms import memory_bytes
from trap_hpc.config.sites import SourcedSite
from trap_hpc.doctor.findings import Findings
from trap_hpc.engines.broker import read_broker
from trap_hpc.errors import TrapHpcError
from trap_hpc.identity import identity
from trap_hpc.paths import RunPaths
from trap_hpc.run.plan import Plan, importable
from trap_hpc.run.prepare import prepare
from trap_hpc.run.registry import new_run_id
from trap_hpc.run.session.record import read_session
from trap_hpc.run.session.session import cluster_session
from trap_hpc.run.session.watched import WatchedEngine
from trap_hpc.schedulers.base import Job, Scheduler
from trap_hpc.schedulers.known import make_scheduler
from trap_hpc.schedulers.request import cores_of_a_job
from trap_hpc.worker.rollcall import RollCall, read_roll_calls

LOOK_S = 0.2
OVER = ("refused", "unreachable", "failed", "late")

Say = Callable[[str], None]


def examine(
    site: SourcedSite,
    *,
    folder: Path,
    timeout_s: float,
    say: Say,
    clock: Callable[[], float] = time.monotonic,
    broker_password_file: Path | None = None,
) -> Findings:
    """Let one job of ``site`` start a worker, see how far it comes, and end it all.

    ``folder`` is where runs would be: what is made there is gone afterwards.

    Raises
    ------
    UsageError
        The folder can't be written.
    """
    plan = replace(_plan(site, folder), broker_password_file=broker_password_file)
    prepare(plan)
    try:
        return _Examination(plan, site, timeout_s, say, clock).findings()
    finally:
        session = read_session(plan.directory)
        if session is None or not session.up:  # else `reap` needs it
            shutil.rmtree(plan.directory, ignore_errors=True)


def _plan(site: SourcedSite, folder: Path) -> Plan:
    run_id = new_run_id()
    return Plan(
        run_id=run_id,
        directory=importable(folder / f"doctor-{run_id}").absolute(),
        images=(),
        parameters=load(None),
        engine="celery",
        workers=cores_of_a_job(site.site),
        site=site,
        profile=site,
    )


class _Examination:
    """One try, filled in as far as it comes."""

    def __init__(
        self,
        plan: Plan,
        site: SourcedSite,
        timeout_s: float,
        say: Say,
        clock: Callable[[], float],
    ) -> None:
        self._plan = plan
        self._paths = RunPaths(plan.directory)
        self._timeout_s = timeout_s
        self._say = say
        self._clock = clock
        self._scheduler: Scheduler = make_scheduler(site.site)
        self._found = Findings(
            site=site.site.name,
            identity=identity(),
            python=sys.executable,
            cores=plan.workers,
            memory_bytes=memory_bytes(site.site.memory) if site.site.memory else 0,
            timeout_s=timeout_s,
            asked=self._scheduler.asked,
        )

    def findings(self) -> Findings:
        """Do it, and return what was found, whatever went wrong."""
        began_s = self._clock()
        try:
            with cluster_session(
                self._plan, epoch=1, log=lambda text: None, say=self._say
            ) as engine:
                self._note(submitted_s=self._clock() - began_s)
                broker = read_broker(self._paths.broker)
                self._note(encrypted=broker.certificates is not None)
                try:
                    self._watch(engine)
                finally:
                    self._ask()
        except TrapHpcError as error:
            self._note(trouble=str(error))
        session = read_session(self._plan.directory)
        return replace(self._found, left=session.left if session else None)

    def _note(self, **news: object) -> None:
        self._found = replace(self._found, **news)  # type: ignore[arg-type]

    def _watch(self, engine: WatchedEngine) -> None:
        """Look until the worker is in, can't get in, or the time is over."""
        began_s = self._clock()
        while self._clock() - began_s < self._timeout_s:
            engine.outcomes(LOOK_S)
            if (call := self._roll_call()) is not None:
                self._heard(call, self._clock() - began_s)
                if call.state in OVER:
                    return
            if engine.capacity:
                running_s = self._found.running_s or 0.0
                self._note(connected_s=self._clock() - began_s - running_s)
                return

    def _roll_call(self) -> RollCall | None:
        calls = read_roll_calls(self._paths.roll_calls, epoch=1)
        return calls[0] if calls else None

    def _heard(self, call: RollCall, after_s: float) -> None:
        if self._found.call is None:
            # Read within LOOK_S of being written: good enough for people's clocks.
            ahead_s = call.clock_s - time.time()
            self._note(running_s=after_s, clock_ahead_s=ahead_s)
        self._note(call=call)

    def _ask(self) -> None:
        """Let the scheduler tell of the job."""
        try:
            jobs = self._scheduler.jobs([self._plan.run_id])
        except TrapHpcError as error:
            self._note(why=str(error))
            return
        job: Job | None = jobs[0] if jobs else None
        if job is not None:
            self._note(job=job, why=self._scheduler.explain(job))
