"""A batch on its way, and what a try that failed costs it.

Pure decisions. A process that dies under a batch costs the batch an attempt; after
three it is cut in two, and so on until the guilty image stands alone and is refused. A
batch that takes too long is cut into single images at once: one that hangs would hang
again. A single image is refused when it took too long on two workers, each time with
twice the time: one worker alone may be on a slow node. Losing a worker that was not to
blame costs nothing, within reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trap_hpc.errors import RunError
from trap_hpc.pipeline.measurements import Finding
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Item

ATTEMPTS = 3
LOSSES = 10
SLOW_WORKERS = 2
"""On so many an image must take too long before that counts."""
SLOW_TRIES = 3
"""Where there is no second worker, it is tried so often on the only one."""
LONGER = 2
"""A try that took too long is followed by one that has twice the time, so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One item to be worked on. ``id`` is its id in the ledger."""

    id: int
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished batch."""

    batch: int
    step: str
    work: Sequence[Work]
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A batch under way, and what has become of it so far."""

    batch: int
    step: str
    work: Sequence[Work]
    tries: int = 0
    """How often it was sent."""
    deaths: int = 0
    failures: int = 0
    losses: int = 0
    slow: tuple[str, ...] = ()
    """The workers on which it took too long, once for each time."""

    def done(self, findings: Sequence[Finding]) -> Done:
        """Return it with what was found."""
        return Done(batch=self.batch, step=self.step, work=self.work, findings=findings)


Verdict = Sequence[Sending] | Refusal
"""What is to be sent in its place, or that its only image is refused.

Batches that are cut have number 0: they get one when they are sent.
"""


def cut_anew(sending: Sending, size: int) -> Sequence[Sending]:
    """Cut a batch that was lost, or given back, if it is longer than others are by now.

    What was sent before anybody knew how long images take may be more than a short job
    has time for.
    """
    if len(sending.work) < 2 * size:
        return [sending]
    work = sending.work
    parts = [work[first : first + size] for first in range(0, len(work), size)]
    return [replace(sending, batch=0, work=part, tries=0) for part in parts]


def after_loss(sending: Sending, why: str, log: str) -> Sending:
    """Return what is to be sent again when a worker was lost, or a file was damaged.

    ``log`` names the file in which more is told.

    Raises
    ------
    RunError
        That happens again and again.
    """
    sending = replace(sending, losses=sending.losses + 1)
    if sending.losses >= LOSSES:
        raise RunError(
            f"a batch of {sending.step} was lost {sending.losses} times, the last "
            f"time because {why}; see {log}"
        )
    return sending


def after_failure(sending: Sending, error: str) -> Sequence[Sending]:
    """Return what to do when a task raised, for a reason that is no image's.

    Raises
    ------
    RunError
        It is the same each time.
    """
    sending = replace(sending, failures=sending.failures + 1)
    if sending.failures >= ATTEMPTS:
        raise RunError(f"a batch of {sending.step} failed: {error}")
    return [sending]


def after_death(sending: Sending, how: str) -> Verdict:
    """Return what to do when a process died under a batch."""
    sending = replace(sending, deaths=sending.deaths + 1)
    if sending.deaths < ATTEMPTS:
        return [sending]
    if len(sending.work) > 1:
        return _halves(sending)
    return _refusal(sending, f"its worker died ({how}) each of {sending.deaths} times")


def after_time(
    sending: Sending, worker: str, limit_s: float, *, places: int
) -> Verdict:
    """Return what to do when a batch took longer than its limit.

    ``places``: in how many places there are workers now.
    """
    if len(sending.work) > 1:
        return [_part(sending, [work]) for work in sending.work]
    sending = replace(sending, slow=(*sending.slow, worker))
    workers = len(set(sending.slow))
    tries = SLOW_TRIES if places < SLOW_WORKERS else LOSSES
    if workers < SLOW_WORKERS and len(sending.slow) < tries:
        return [sending]
    where = "on 1 worker" if workers == 1 else f"on {workers} workers"
    return _refusal(
        sending, f"it took longer than {limit_s:.0f} s, tried {where}: it may hang"
    )


def _halves(sending: Sending) -> Sequence[Sending]:
    """One of its images is guilty: one more death is enough to cut a half."""
    middle = len(sending.work) // 2
    parts = (sending.work[:middle], sending.work[middle:])
    return [
        _part(sending, part, deaths=ATTEMPTS - 1 if len(part) > 1 else 0)
        for part in parts
    ]


def _part(sending: Sending, work: Sequence[Work], deaths: int = 0) -> Sending:
    return Sending(batch=0, step=sending.step, work=work, deaths=deaths)


def _refusal(sending: Sending, reason: str) -> Refusal:
    (work,) = sending.work
    return Refusal(address=work.item.address, kind="failed", reason=reason)
