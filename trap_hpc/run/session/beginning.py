"""The record of a session before anything of it is there."""

from __future__ import annotations

from datetime import UTC, datetime

from trap_hpc.alive import this_process
from trap_hpc.config.site import Site
from trap_hpc.run.session.record import SessionRecord
from trap_hpc.schedulers.base import JobRequest


def begun(request: JobRequest, epoch: int, site: Site, cluster: str) -> SessionRecord:
    """Return the record of a session that this process begins now."""
    us = this_process()
    return SessionRecord(
        run_id=request.run_id,
        epoch=epoch,
        up=True,
        site=site.name,
        scheduler=site.scheduler,
        cluster=cluster,
        host=us.host,
        machine=us.machine,
        pid=us.pid,
        launcher_began_s=us.began_s,
        lease_s=site.lease_s,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        workers=request.count * request.cores,
    )
