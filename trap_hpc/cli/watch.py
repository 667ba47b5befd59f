"""A run's progress: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from trap_hpc.cli.output import echo
from trap_hpc.plaintext import one_line, printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from trap_hpc.run.progress import Progress

    Watch = Callable[[Progress], None]

FIRST_LINE_AFTER_S = 5.0
LINES_GROW_BY = 1.5
"""The n-th line comes after 5 s * 1.5**n, at most ten minutes after the one before."""
LONGEST_SILENCE_S = 600.0


class Onlooker(Protocol):
    """Hears of a run; both as often as the run likes."""

    def __call__(self, progress: Progress) -> None:
        """Hear how far it is."""

    def say(self, sentence: str) -> None:
        """Hear what the user should read at once."""


@contextmanager
def watching(*, quiet: bool) -> Iterator[Onlooker]:
    """Give what shows the user how a run gets on."""
    if quiet:
        yield _Silent()
    elif sys.stderr.isatty():
        with _bar() as onlooker:
            yield onlooker
    else:
        yield _Lines()


class _Silent:
    """Says nothing."""

    def __call__(self, progress: Progress) -> None:
        pass

    def say(self, sentence: str) -> None:
        pass


class _Lines:
    """Plain lines, ever more rarely; one at each change of phase."""

    def __init__(self) -> None:
        self._phase = ""
        self._next_s = FIRST_LINE_AFTER_S

    def __call__(self, progress: Progress) -> None:
        due = progress.elapsed_s >= self._next_s
        changed = progress.phase not in (self._phase, "done")
        if not changed and not due:
            return
        self._phase = progress.phase
        if due:
            wait_s = min(progress.elapsed_s * (LINES_GROW_BY - 1), LONGEST_SILENCE_S)
            self._next_s = progress.elapsed_s + max(wait_s, FIRST_LINE_AFTER_S)
        echo(f"{time_text(progress.elapsed_s):>8}  {sentence(progress)}", err=True)

    def say(self, sentence: str) -> None:
        echo(sentence, err=True)


class _OnBar:
    """A bar, and sentences above it."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        # Not seen before there is something to tell: a finished run has nothing.
        self._task = bar.add_task("", total=None, phase="starting", visible=False)

    def __call__(self, progress: Progress) -> None:
        self._bar.update(
            self._task,
            total=max(progress.images, 1) if progress.images else None,
            completed=done(progress),
            description=one_line(counts(progress)),
            phase=progress.phase,
            visible=True,
        )
        self._bar.refresh()

    def say(self, sentence: str) -> None:
        text = printable(sentence)
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _bar() -> Iterator[Onlooker]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.fields[phase]:<11}"), BarColumn(bar_width=30))
    words = TextColumn("{task.description}", markup=False)
    # No thread of its own: it is drawn when the run reports.
    with Bar(*columns, words, console=Console(stderr=True), auto_refresh=False) as bar:
        yield _OnBar(bar)


@contextmanager
def counting(phase: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what may be called with the number of things done and of all."""
    import time

    from trap_hpc.run.progress import Progress

    began = time.monotonic()
    with watching(quiet=quiet) as watch:

        def count(done: int, total: int) -> None:
            elapsed_s = max(time.monotonic() - began, 1e-9)
            rate_per_s = done / elapsed_s
            watch(
                Progress(
                    phase=phase,
                    images=total,
                    scanned=total,
                    measured=done,
                    associated=done,
                    refused=0,
                    elapsed_s=elapsed_s,
                    rate_per_s=rate_per_s,
                    left_s=(total - done) / rate_per_s,
                )
            )

        yield count


def done(progress: Progress) -> int:
    """Return how many images the present phase has behind it, refused ones included."""
    if progress.phase == "scanning":
        return progress.scanned
    if progress.phase in ("measuring", "stopped"):
        return progress.measured
    unused = progress.rejected + progress.refused + progress.duplicates
    return min(progress.associated + unused, progress.images)


def sentence(progress: Progress) -> str:
    """One line on how far the run is."""
    return f"{progress.phase}: {counts(progress)}"


def counts(progress: Progress) -> str:
    """Count images, images per second and time left."""
    missing = _missing(progress)
    if progress.phase == "scanning":
        return ", ".join([f"{progress.scanned} headers read", *missing])
    parts = [f"{done(progress)} of {progress.images} images", *missing]
    if progress.phase == "stopped":
        parts[0] = f"{parts[0]} measured" if progress.images else "nothing measured"
    if progress.refused:
        parts.append(f"{progress.refused} refused")
    if progress.rate_per_s > 0:
        parts.append(f"{_rate(progress.rate_per_s)} images/s")
    if progress.left_s is not None:
        parts.append(f"{time_text(progress.left_s)} left")
    return ", ".join(parts)


def _missing(progress: Progress) -> list[str]:
    """Say of a cluster's workers how many are in, as long as that is not all."""
    staff = progress.staff
    if staff is None or staff.workers >= staff.wanted:
        return []
    if progress.phase in ("finishing", "done", "stopped"):
        return []
    if not staff.workers:
        return [f"no workers yet ({staff.jobs})"]
    return [f"{staff.workers} of {staff.wanted} workers"]


def _rate(per_s: float) -> str:
    return f"{per_s:.0f}" if per_s >= 1000 else f"{per_s:.3g}"


def time_text(seconds: float) -> str:
    """Return a time as people say it: ``8 s``, ``2:05``, ``1:02:05``."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
