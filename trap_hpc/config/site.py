"""A site: what its profile says of a cluster.

The names are those of dask-jobqueue, with underscores, so that what people already
wrote in ``jobqueue.yaml`` carries over.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEDULERS = ("local", "slurm", "srun")
LAUNCHERS = ("login", "job")
TLS = ("auto", "required", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One site profile. In files the names are written with hyphens or underscores."""

    name: str = "local"
    description: str = ""
    source: str = ""
    """Where the profile's facts come from: a page of the site's documentation."""
    tried: str = ""
    """Who has run it and when; empty: nobody has."""

    scheduler: str = "local"
    """Never guessed. ``srun`` is Slurm from within an allocation."""
    launcher: str = "login"
    """Where the launcher runs: on the login node, or in a ``job`` of its own."""
    workers: int = 0
    """Worker processes if the user names no number; 0: the cores of one job."""

    queue: str = ""
    account: str = ""
    walltime: str = ""
    """``HH:MM:SS`` of each job; empty: the site's default."""
    cores: int = 0
    """Of each job; a worker process each. 0: all that a local run may use, else 1."""
    memory: str = ""
    """Of each job, such as ``8GB``; empty: the site's default."""
    python: str = ""
    """The interpreter on the nodes; empty: the launcher's own."""
    job_script_prologue: tuple[str, ...] = ()
    """Shell lines before the worker starts: ``module load ...``."""
    job_extra_directives: tuple[str, ...] = ()
    """More options of ``sbatch``, as they are: ``--constraint=haswell``."""
    job_directives_skip: tuple[str, ...] = ()
    """Options of ours that the site does not take: all that begin like one of these."""
    environment: tuple[str, ...] = ()
    """Names of more variables that jobs get as they are where the launcher runs."""
    max_array_size: int = 0
    """Tasks an array may have; 0: the scheduler is asked."""
    max_jobs: int = 0
    """Jobs that one user may have at a time; 0: no limit is known."""

    interface: tuple[str, ...] = ()
    """Network interfaces, addresses or networks (``10.0.0.0/8``) by which nodes reach
    the launcher, the best one first; empty: all of this host but loopback."""
    broker: str = ""
    """URL of a broker that is there already; empty: each run starts its own."""
    broker_binary: str = ""
    """A ``redis-server`` or ``valkey-server``; empty: the first that is found."""
    tls: str = "auto"
    """``auto``: if the broker's program can; said in the log where it can't."""

    poll_s: float = 60.0
    """The scheduler is asked once in so many seconds at most."""
    submit_timeout_s: float = 60.0
    time_limit_s: float = 0.0
    """So long an image may take before it is tried on another worker, and then
    refused; 0: twenty times as long as the slowest so far, two minutes at least."""
    lease_s: float = 60.0
    """Workers end when they have seen nothing of the launcher for so long."""
    beat_s: float = 5.0
    """The launcher renews its lease, and workers report, once in so many seconds."""
