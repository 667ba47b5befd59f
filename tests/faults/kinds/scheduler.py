"""What a scheduler does to jobs, and users do through it."""

from __future__ import annotations

import re
import time
from datetime import datetime

from tests.cluster.launches import jobs_as
from tests.cluster.processes import ClusterError
from tests.faults.fault import Hit, fault
from tests.faults.scene import Scene

PREEMPTED_S = (2.0, 6.0)
_STRUCK = re.compile(r"CANCELLED AT (\S+) DUE TO TIME LIMIT")


@fault(
    "job cancelled",
    "`scancel` of single elements of the array, by the user; none takes their place",
    gap_s=(2.0, 6.0),
    may_stop="no worker is left",
)
def cancel(scene: Scene) -> str:
    job = scene.pick(jobs_of(scene))
    if job is None:
        return ""
    scene.slurm.run_as_user(["scancel", job])
    return job


def requeued(scene: Scene) -> None:
    """Let jobs begin again after they were preempted, as sites may demand."""
    scene.site["job_directives_skip"] = ["--no-requeue"]
    scene.site["job_extra_directives"] = ["--requeue"]


def short_jobs(scene: Scene) -> None:
    """Let jobs have the least time that Slurm can give."""
    scene.site["walltime"] = "00:01:00"


@fault(
    "job preempted",
    "a more important job takes the node; the job starts again with its old id",
    needs=(requeued,),
    gap_s=(3.0, 8.0),
)
def preempt(scene: Scene) -> str:
    job = scene.pick(jobs_of(scene))
    if job is None:
        return ""
    node = node_of(scene, job)
    seconds = scene.chance.uniform(*PREEMPTED_S)
    scene.slurm.run_as_user(
        ["sbatch", "-p", "urgent", "-w", node, "--exclusive", "--output=/dev/null"]
        + ["--wrap", f"sleep {seconds:.1f}"],
        user=scene.slurm.other,
        folder=scene.slurm.other.home,
    )
    return f"{job} on {node} for {seconds:.1f} s"


@fault(
    "walltime reached",
    "the end of a job comes, by Slurm's own clock, with batches in flight",
    gap_s=(1.0, 8.0),
)
def reach_walltime(scene: Scene) -> Hit | str:
    """Bring the end near; Slurm looks for jobs whose time is over every 30 s."""
    job = scene.pick([job for job in jobs_of(scene) if not scene.marked(job)])
    if job is None:
        return ""
    update = ["update", f"JobId={job}", "EndTime=now"]
    try:
        scene.slurm.hosts["login"].run(["scontrol", *update])
    except ClusterError:  # it has begun within this second
        return ""
    scene.mark(job)
    return Hit(words=job, struck=lambda: struck_s(scene, job))


def jobs_of(scene: Scene) -> list[str]:
    """Return the run's jobs that have begun."""
    session = scene.launch.session
    return jobs_as(scene.slurm, "RUNNING", session.run_id) if session else []


def node_of(scene: Scene, job: str) -> str:
    argv = ["squeue", "-h", "-r", "-j", job, "-o", "%N"]
    return scene.slurm.hosts["login"].run(argv).out.strip()


def struck_s(scene: Scene, job: str) -> float | None:
    """Return when Slurm ended a job, by its log; None if it did not."""
    logs = scene.paths.logs.glob(f"{job}-*.log")
    found = [_STRUCK.search(log.read_text(errors="replace")) for log in logs]
    times = [datetime.fromisoformat(match[1]) for match in found if match]
    # Slurm tells the time of this host, as a log does.
    return max((time.mktime(t.timetuple()) for t in times), default=None)
