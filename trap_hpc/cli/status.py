"""``trap-hpc status``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from trap_hpc.cli.output import echo, json_option, print_json
from trap_hpc.cli.watch import counts

if TYPE_CHECKING:
    from trap_hpc.run.overview import Overview
    from trap_hpc.run.progress import JobGroup, Staff
    from trap_hpc.run.session.record import SessionRecord
    from trap_hpc.run.session.waiting import WaitingLauncher
    from trap_hpc.schedulers.base import Job


@click.command(
    help="Say how far RUN is, who works on it, and what its jobs wait for."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`. Only the "
    "run's own files are read, unless --ask is given."
)
@click.argument("run", default="last")
@click.option("--ask", is_flag=True, help="Ask the scheduler for the jobs, too.")
@json_option
def status(run: str, ask: bool, as_json: bool) -> int:
    """Read what the run says of itself and print it."""
    from trap_hpc.run.overview import overview
    from trap_hpc.run.registry import find_run

    seen = overview(find_run(run))
    known = seen.waiting or seen.session
    jobs = _asked(known) if ask and known else None
    if as_json:
        print_json(_record(seen, jobs))
        return 0
    for heading, lines in _parts(seen, jobs):
        for number, line in enumerate(lines):
            echo(f"{'' if number else heading:<10}{line}".rstrip())
    return 0


def _asked(session: SessionRecord | WaitingLauncher) -> Sequence[Job]:
    from trap_hpc.config.site import Site
    from trap_hpc.schedulers.known import make_scheduler

    site = Site(name=session.site, scheduler=session.scheduler)
    return make_scheduler(site).jobs([session.run_id])


def _parts(
    seen: Overview, jobs: Sequence[Job] | None
) -> Iterator[tuple[str, list[str]]]:
    """Give headings, and the lines that belong to each."""
    yield "run", [str(seen.directory)]
    yield "progress", [_progress(seen)]
    if not seen.finished:
        yield "launcher", [_launcher(seen)]
    session, staff = seen.session, seen.progress.staff if seen.progress else None
    if session and session.up and staff:
        yield "workers", [f"{staff.workers} of {staff.wanted} in"]
        yield "jobs", [staff.jobs, *map(_group, _told(staff))]
    if staff and staff.refusals:
        yield "refused", list(staff.refusals)
    if session:
        yield "session", _session(session)
    if session and session.remark and not seen.finished:
        yield "reason", session.remark.splitlines()
    if jobs is not None:
        from trap_hpc.run.session.words import states_text

        yield "asked", [states_text(jobs) if jobs else "no jobs are known any more"]


def _progress(seen: Overview) -> str:
    if seen.progress is None:
        return "it has not said anything yet"
    told = f"{seen.progress.phase}: {counts(seen.progress)}"
    return f"{told}, {seen.progress.batches} batches done (as of {seen.written})"


def _launcher(seen: Overview) -> str:
    if seen.waiting is not None:
        job = f"a job of {seen.waiting.scheduler} named {seen.waiting.run_id}"
        return f"waits as {job} since {seen.waiting.submitted}: --ask says for what"
    if seen.launcher is None:
        return "not known"
    process = f"process {seen.launcher.pid} on {seen.launcher.host}"
    if seen.alive:
        return f"lives: {process}"
    if seen.alive is None and not seen.stopped:
        return f"{process}: can't be seen from here"
    if seen.session and seen.session.up:
        return f"is gone ({process}): `trap-hpc reap` removes what it left"
    return f"has ended ({process}): `trap-hpc resume` goes on"


def _told(staff: Staff) -> list[JobGroup]:
    return [group for group in staff.groups if group.explanation]


def _group(group: JobGroup) -> str:
    return f"{group.jobs} {group.state} ({group.ids}): {group.explanation}"


def _session(session: SessionRecord) -> list[str]:
    from trap_hpc.run.session.words import count

    where = f"{session.site} ({session.scheduler}) as {session.run_id}"
    jobs = count(session.jobs, "job")
    lines = [f"{jobs} submitted to {where} since {session.began}"]
    if session.ended:
        left = "an unknown number" if session.left is None else str(session.left)
        lines.append(f"ended {session.ended}, {left} left (asked {session.asked})")
    return lines


def _record(seen: Overview, jobs: Sequence[Job] | None) -> dict[str, Any]:
    record: dict[str, Any] = asdict(seen)
    record["directory"] = str(seen.directory)
    if jobs is not None:
        record["asked"] = [asdict(job) | {"state": job.state.value} for job in jobs]
    return record
