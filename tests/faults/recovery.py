"""How long a run takes to recover from a fault. Pure.

It has recovered when all batches are done that were under way at the moment of the
fault, and as many workers are there as are wanted. After a launcher that ended it has
recovered with the first batch that is done after the ``resume``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tests.faults.watcher import Seen

NOTICED_WITHIN_S = 30.0
"""Whoever is missing later is missing for another reason."""
LONG_S = 60.0
"""After that a run is thought to have recovered: some workers never come back."""


def recovery_s(seen: Seen, at_s: float, resumed_s: float | None) -> float | None:
    """Return the seconds; None if the run ended before there was anything to see."""
    if resumed_s is not None:
        later = [done_s for done_s in seen.done.values() if done_s > resumed_s]
        return min(later) - resumed_s if later else None
    times = [redone_s(seen, at_s), all_back_s(seen, at_s)]
    known = [each - at_s for each in times if each is not None]
    return max(known) if known else None


def is_over(seen: Seen, at_s: float, now_s: float, resumed_s: float | None) -> bool:
    """Whether a run that still goes on has recovered from a fault by now."""
    since_s = at_s if resumed_s is None else resumed_s
    if now_s - since_s > LONG_S:
        return True
    if not any(done_s > since_s for done_s in seen.done.values()):
        return False
    all_there = not seen.workers or seen.workers[-1][1] >= seen.workers[-1][2]
    return all_there and None not in _under_way_s(seen, at_s)


def redone_s(seen: Seen, at_s: float) -> float | None:
    """When all that had been under way was done, in whatever batches."""
    times = _under_way_s(seen, at_s)
    return max((each for each in times if each is not None), default=None)


def _under_way_s(seen: Seen, at_s: float) -> list[float | None]:
    """When each batch was done, itself or in others, that was under way then."""
    done = first_done(seen.done)
    under_way = [
        batch
        for batch, sent in seen.sent.items()
        if sent.at_s <= at_s < done.get(batch, math.inf)
    ]
    return [done.get(batch) or _elsewhere_s(seen, done, batch) for batch in under_way]


def _elsewhere_s(seen: Seen, done: Mapping[str, float], batch: str) -> float | None:
    """When the images of a batch that was given up were all done in others."""
    lost, step = seen.sent[batch], batch.partition("-")[0]
    later = [
        (other.images, done[name])
        for name, other in seen.sent.items()
        if name in done and name.startswith(step) and done[name] > lost.at_s
    ]
    found = [
        min((done_s for images, done_s in later if image in images), default=None)
        for image in lost.images
    ]
    return max((each for each in found if each is not None), default=None)


def first_done(files: Mapping[str, float]) -> dict[str, float]:
    """When each batch was done: ``measure-1-000012`` is in several files, perhaps."""
    done: dict[str, float] = {}
    for name, done_s in files.items():
        batch = name.removesuffix(".h5").rpartition(".")[0]
        done[batch] = min(done_s, done.get(batch, done_s))
    return done


def all_back_s(seen: Seen, at_s: float) -> float | None:
    """When all workers were there again, if some were missing and came back."""
    later = [each for each in seen.workers if each[0] > at_s]
    missing_s = next((t for t, there, wanted in later if there < wanted), None)
    if missing_s is None or missing_s - at_s > NOTICED_WITHIN_S:
        return None
    back = (t for t, there, wanted in later if t > missing_s and there >= wanted)
    return next(back, None)
