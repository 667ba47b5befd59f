"""Starting a run and going on with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from trap_hpc.catalogue.store import Catalogue
from trap_hpc.engines.base import Engine
from trap_hpc.engines.processes import ProcessesEngine
from trap_hpc.engines.serial import SerialEngine
from trap_hpc.errors import TrapHpcError
from trap_hpc.files import keep_others_out
from trap_hpc.identity import write_snapshot
from trap_hpc.paths import RunPaths
from trap_hpc.run.driver import Driver
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.log import BEGINNING, INTERRUPTED, STOPPED, RunLog
from trap_hpc.run.owner import require_ours
from trap_hpc.run.place import Place
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import read_plan, require_same_code, write_site
from trap_hpc.run.prepare import prepare
from trap_hpc.run.progress import Summary
from trap_hpc.run.registry import find_run, register, require_original
from trap_hpc.run.session.stoppable import StoppableEngine
from trap_hpc.run.session.stopping import forget_request
from trap_hpc.run.session.waiting import forget_waiting, require_none_waiting
from trap_hpc.run.status import also_to_file, summary_of
from trap_hpc.run.tally import Tally, Watch

Say = Callable[[str], None]
"""Takes sentences that the user should read at once."""


def start(
    plan: Plan, watch: Watch = lambda _: None, say: Say = lambda _: None
) -> Summary:
    """Make the run directory and do the run.

    Raises
    ------
    UsageError
        The run directory can't be made.
    RunError
        The run can't go on; what it did is kept and `resume` finishes it.
    """
    prepare(plan)
    return _go_on(plan, watch, say)


def resume(
    run: str,
    *,
    engine: str | None = None,
    workers: int | None = None,
    place: Place | None = None,
    retry_refused: bool = False,
    watch: Watch = lambda _: None,
    say: Say = lambda _: None,
) -> Summary:
    """Finish what is left of a run; ``run`` is an id, a prefix, a path or ``last``.

    ``place`` says all that ``engine`` and ``workers`` say, and more. With
    ``retry_refused`` images that were unreadable or failed are tried again, and the
    catalogue is written anew.

    Raises
    ------
    UsageError
        There is no such run.
    RunError
        The run can't go on, was begun with other code, or may be changed by others.
        What came of a finished run is told whatever code made it.
    """
    place = place or Place(engine=engine, workers=workers)
    directory = find_run(run)
    require_ours(directory)
    keep_others_out()
    plan = read_plan(directory, place)
    require_original(plan.run_id, plan.directory)
    register(plan.run_id, plan.directory)
    return _go_on(plan, watch, say, retry_refused=retry_refused)


def _go_on(
    plan: Plan, watch: Watch, say: Say, *, retry_refused: bool = False
) -> Summary:
    if not _within_a_job(plan):
        require_none_waiting(plan.run_id, plan.directory)
    ledger = Ledger(RunPaths(plan.directory).ledger)
    try:
        if retry_refused:
            require_same_code(plan.directory)
        again = retry_refused and ledger.forget_refusals() > 0
        if again:
            ledger.note("finished", "")
        with _catalogue(plan, anew=again) as catalogue:
            ledger.commit()
            return _work(plan, ledger, catalogue, watch, say)
    finally:
        ledger.close()


def _within_a_job(plan: Plan) -> bool:
    return plan.site is not None and plan.site.site.scheduler == "srun"


def _catalogue(plan: Plan, *, anew: bool) -> Catalogue:
    path = RunPaths(plan.directory).catalogue
    if path.exists() and not anew:
        return Catalogue.open(path, publish_to=plan.database)
    return Catalogue.create(
        path,
        parameters=plan.parameters.parameters,
        run_id=plan.run_id,
        publish_to=plan.database,
        replace=True,
    )


def _work(
    plan: Plan, ledger: Ledger, catalogue: Catalogue, watch: Watch, say: Say
) -> Summary:
    """Let the driver do what is left, then say what came of it."""
    epoch = int(ledger.fact("session", "0")) + 1
    ledger.note("session", str(epoch))
    ledger.commit()
    paths = RunPaths(plan.directory)
    log = RunLog(paths.log)
    tally = Tally(also_to_file(watch, paths.status))
    forget_request(paths)  # it was for an earlier session
    log(f"{BEGINNING}{epoch}: engine {plan.engine}, {plan.workers} workers")

    def tell(sentence: str) -> None:
        log(sentence)
        say(sentence)

    left = ledger.fact("finished") != "yes" or not catalogue.complete
    if left and plan.database:
        ledger.note("published", "no")
    if left or ledger.fact("published") == "no":
        require_same_code(plan.directory)
        tally.tell()
        forget_waiting(plan.directory)  # from now on we are seen to work on it
        place = plan if left else replace(plan, site=None, engine="serial")
        with _last_words(log, tally):
            with _workers(place, epoch, tally, log, tell) as engine:
                Driver(plan, ledger, engine, catalogue, tally).run()
            catalogue.publish(tell)  # workers need not wait for that
            ledger.note("published", "yes")
            ledger.commit()
            tally.finished()
    summary = summary_of(plan, tally.elapsed_s)
    log(f"done: {summary.associated} images, {summary.sources} sources")
    return summary


@contextmanager
def _last_words(log: RunLog, tally: Tally) -> Iterator[None]:
    """Leave word of an end that is no good one, for all who ask later."""
    try:
        yield
    except BaseException as error:
        log(_ending(error))
        with suppress(TrapHpcError):  # a full disk, which may be the very reason
            tally.stopped()
        raise


def _ending(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return f"{INTERRUPTED}{str(error) or 'Ctrl-C'}"
    if isinstance(error, TrapHpcError):
        return f"{STOPPED}{error}"
    return f"{STOPPED}{type(error).__name__}: {error}"


@contextmanager
def _workers(
    plan: Plan, epoch: int, tally: Tally, log: RunLog, say: Say
) -> Iterator[Engine]:
    """Bring the workers up, here or on the plan's site, and down again."""
    if plan.site is None:
        with _of_this_machine(plan) as engine:
            yield engine
        return
    # Celery and all that belongs to it, for those who need it.
    from trap_hpc.run.session.session import cluster_session

    paths = RunPaths(plan.directory)
    if not paths.code.exists():  # of a run that was begun before there were any
        write_snapshot(paths.code)
    write_site(plan)
    with cluster_session(plan, epoch=epoch, log=log, say=say) as remote:
        tally.staff = remote.staff
        remote.work_left_s = tally.left_s
        yield remote


@contextmanager
def _of_this_machine(plan: Plan) -> Iterator[Engine]:
    serial = plan.engine == "serial"
    workers = SerialEngine() if serial else ProcessesEngine(plan.workers, plan.cores)
    engine = StoppableEngine(workers, RunPaths(plan.directory))
    try:
        engine.start()
        yield engine
    finally:
        engine.close()
