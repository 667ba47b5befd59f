"""A worker that is there, as the launcher knows it."""

from __future__ import annotations

from dataclasses import dataclass, field

from trap_hpc.engines.base import Member
from trap_hpc.engines.celery.messages import Here


@dataclass(slots=True)
class Present:
    """One worker. Times are the launcher's own clock."""

    here: Here
    here_s: float
    """When it last said so."""
    heard_s: float
    took_s: float
    held: set[str] = field(default_factory=set)
    done: int = 0

    def member(self, now_s: float) -> Member:
        """Return what others may know of it."""
        here = self.here
        left_s = None if here.left_s is None else here.left_s - (now_s - self.here_s)
        return Member(
            name=here.worker,
            job=here.job,
            node=here.node,
            slots=here.slots,
            address=here.address,
            silent_s=now_s - self.heard_s,
            done=self.done,
            left_s=left_s,
        )
