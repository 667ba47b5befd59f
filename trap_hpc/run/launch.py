"""Starting a run and going on with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config import dump
from trap_hpc.engines.base import Engine
from trap_hpc.engines.processes import ProcessesEngine
from trap_hpc.engines.serial import SerialEngine
from trap_hpc.errors import TrapHpcError
from trap_hpc.paths import RunPaths
from trap_hpc.run.driver import Driver
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.log import RunLog
from trap_hpc.run.plan import Plan, read_plan, require_same_code, write_plan
from trap_hpc.run.progress import Summary
from trap_hpc.run.registry import find_run, register
from trap_hpc.run.status import also_to_file, summary_of
from trap_hpc.run.tally import Tally, Watch


def start(plan: Plan, watch: Watch = lambda _: None) -> Summary:
    """Make the run directory and do the run.

    Raises
    ------
    UsageError
        The run directory can't be made.
    RunError
        The run can't go on; what it did is kept and `resume` finishes it.
    """
    paths = RunPaths(plan.directory)
    paths.make()
    ledger = Ledger(paths.ledger, create=True)
    try:
        ledger.add_paths(plan.images)
        ledger.commit()
        write_plan(plan, dump(plan.parameters))  # from now on it is a run
        register(plan.run_id, plan.directory)
        with _new_catalogue(plan) as catalogue:
            return _work(plan, ledger, catalogue, watch)
    finally:
        ledger.close()


def resume(
    run: str,
    *,
    engine: str | None = None,
    workers: int | None = None,
    retry_refused: bool = False,
    watch: Watch = lambda _: None,
) -> Summary:
    """Finish what is left of a run; ``run`` is an id, a prefix, a path or ``last``.

    With ``retry_refused`` images that were unreadable or failed are tried again, and
    the catalogue is written anew.

    Raises
    ------
    UsageError
        There is no such run.
    RunError
        The run can't go on, or was begun with other code. What came of a finished
        run is told whatever code made it.
    """
    plan = read_plan(find_run(run), engine=engine, workers=workers)
    ledger = Ledger(RunPaths(plan.directory).ledger)
    try:
        if retry_refused:
            require_same_code(plan.directory)
        again = retry_refused and ledger.forget_refusals() > 0
        if again:
            ledger.note("finished", "")
        register(plan.run_id, plan.directory)
        with _old_catalogue(plan, anew=again) as catalogue:
            ledger.commit()
            return _work(plan, ledger, catalogue, watch)
    finally:
        ledger.close()


def _new_catalogue(plan: Plan, *, replace: bool = False) -> Catalogue:
    return Catalogue.create(
        RunPaths(plan.directory).catalogue,
        parameters=plan.parameters.parameters,
        run_id=plan.run_id,
        publish_to=plan.database,
        replace=replace,
    )


def _old_catalogue(plan: Plan, *, anew: bool) -> Catalogue:
    path = RunPaths(plan.directory).catalogue
    if anew or not path.exists():
        return _new_catalogue(plan, replace=True)
    return Catalogue.open(path, publish_to=plan.database)


def _work(plan: Plan, ledger: Ledger, catalogue: Catalogue, watch: Watch) -> Summary:
    """Let the driver do what is left, then say what came of it."""
    session = int(ledger.fact("session", "0")) + 1
    ledger.note("session", str(session))
    ledger.commit()
    paths = RunPaths(plan.directory)
    log = RunLog(paths.log)
    tally = Tally(also_to_file(watch, paths.status))
    log(f"session {session}: engine {plan.engine}, {plan.workers} workers")
    if ledger.fact("finished") != "yes" or not catalogue.complete:
        require_same_code(plan.directory)
        tally.tell()
        with _running(_engine(plan), log) as engine:
            Driver(plan, ledger, engine, catalogue, tally).run()
            tally.finished()
    summary = summary_of(plan, tally.elapsed_s)
    log(f"done: {summary.associated} images, {summary.sources} sources")
    return summary


def _engine(plan: Plan) -> Engine:
    if plan.engine == "serial":
        return SerialEngine()
    return ProcessesEngine(plan.workers, plan.cores)


@contextmanager
def _running(engine: Engine, log: Callable[[str], None]) -> Iterator[Engine]:
    try:
        engine.start()
        yield engine
    except (TrapHpcError, KeyboardInterrupt) as error:
        log(f"stopped: {error or 'interrupted'}")
        raise
    finally:
        engine.close()
