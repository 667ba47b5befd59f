"""Making a run: all that must be known before anything is done.

Nothing heavy is imported here: the work is done by a process that starts anew from the
run's snapshot of the code.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from trap_hpc.config import dump
from trap_hpc.files import keep_others_out
from trap_hpc.identity import write_code_record, write_snapshot
from trap_hpc.paths import RunPaths
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import write_plan
from trap_hpc.run.registry import register
from trap_hpc.run.session.ctrl_c import held


def prepare(plan: Plan) -> None:
    """Make the run directory, so that `resume` can do the run; all of it or nothing.

    Raises
    ------
    UsageError
        The run directory can't be made.
    StorageError
        It can't be written.
    """
    keep_others_out()
    paths = RunPaths(plan.directory)
    with held():
        paths.make()
        try:
            _write(plan, paths)
        except BaseException:
            _empty(paths.directory)
            raise


def _write(plan: Plan, paths: RunPaths) -> None:
    _add_images(paths, plan)
    write_code_record(paths.identity)
    snapshot = write_snapshot(paths.code)
    register(plan.run_id, plan.directory)
    write_plan(plan, dump(plan.parameters), snapshot)  # from now on it is a run


def _add_images(paths: RunPaths, plan: Plan) -> None:
    ledger = Ledger(paths.ledger, create=True)
    try:
        ledger.add_paths(map(_written, plan.images))
        ledger.commit()
    finally:
        ledger.close()


def _written(path: str) -> str:
    """Write a path down as text. If it is none, its image will not be found, by name.

    Anybody may have put such a file into a folder of many: it must not stop the others.
    """
    return os.fsencode(path).decode(errors="backslashreplace")


def _empty(directory: Path) -> None:
    """Remove what was made in a folder that was empty before."""
    for entry in directory.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
