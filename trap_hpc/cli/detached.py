"""``--detach``: a run that is left to itself."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trap_hpc.cli.output import echo, print_json
from trap_hpc.cli.session import program

if TYPE_CHECKING:
    from trap_hpc.run.plan import Plan


def detached(plan: Plan, words: Sequence[str], *, as_json: bool) -> int:
    """Start a launcher for ``plan`` that outlives us; say how to look after it.

    Its exit code if it ends before it has begun.
    """
    from trap_hpc.run.detach import detach

    launcher = detach(plan, program(words), clock=time.monotonic, sleep=time.sleep)
    if launcher.exit_code is not None:
        for line in launcher.said:
            echo(line, err=True)
        return launcher.exit_code
    if as_json:
        print_json(
            {
                "run_id": plan.run_id,
                "directory": str(plan.directory),
                "pid": launcher.pid,
                "log": str(launcher.log),
            }
        )
        return 0
    echo(f"{plan.run_id} in {plan.directory}")
    echo(f"  it goes on by itself, as process {launcher.pid}; {launcher.state}")
    _how_to_look(plan)
    echo(f"  what it says is in {launcher.log}")
    return 0


def left_to_a_job(plan: Plan, words: Sequence[str], *, as_json: bool) -> int:
    """Submit a launcher for ``plan`` as a batch job; say how to look after it."""
    from trap_hpc.run.session.launcher_job import submit_launcher

    job = submit_launcher(plan, words)
    if as_json:
        record = {"run_id": plan.run_id, "directory": str(plan.directory), "job": job}
        print_json(record)
        return 0
    echo(f"{plan.run_id} in {plan.directory}")
    echo(f"  its launcher is job {job}, which has all nodes for its workers")
    _how_to_look(plan)
    return 0


def _how_to_look(plan: Plan) -> None:
    run = shlex.quote(plan.run_id)
    echo(f"  trap-hpc attach {run}    watches it")
    echo(f"  trap-hpc status {run}    says how far it is")
    echo(f"  trap-hpc stop {run}      ends it")
