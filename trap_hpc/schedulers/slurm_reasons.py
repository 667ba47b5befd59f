"""Why Slurm says that a job waits, and what may be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

_LESS = "ask for less (--cores, --memory, --walltime) or for another --queue"
_ACCOUNT = (
    "name one that you may use with --account; `sacctmgr show associations user=$USER` "
    "lists yours"
)
_RELEASE = "`scontrol release` lets it go"


@dataclass(frozen=True, slots=True)
class Reason:
    """What one of Slurm's words, or a family of them, means."""

    pattern: str
    meaning: str
    remedy: str = ""
    hopeless: bool = False
    """It never starts as it is, however long one waits."""


REASONS = (
    # squeue(1), "JOB REASON CODES", and https://slurm.schedmd.com/job_reason_codes.html
    # of newer versions. The first pattern that fits counts.
    Reason("None", "Slurm has not looked at it yet"),
    Reason("WaitingForScheduling", "Slurm has not looked at it yet"),
    Reason("Resources", "it is next, and waits for nodes to get free"),
    Reason("Priority", "jobs of higher priority are before it"),
    Reason("BeginTime", "its earliest start has not come yet"),
    Reason("Reservation", "its reservation has not begun yet"),
    Reason("Cleaning", "what it was before is still being cleaned up"),
    Reason("Prolog", "the site's prolog program is still running"),
    Reason("Licenses", "it waits for a licence that others use"),
    Reason("Dependency", "it waits for another job"),
    Reason(
        "DependencyNeverSatisfied",
        "it waits for a job that will never end as it should",
        "remove the dependency from job_extra_directives",
        hopeless=True,
    ),
    Reason("JobHeldUser", "it was put on hold by its owner", _RELEASE),
    Reason(
        "JobHeldAdmin",
        "it was put on hold by an administrator",
        "ask the site's support why",
    ),
    Reason("JobHoldMaxRequeue", "it was started again too often", _RELEASE),
    Reason(
        "*requeued*held",
        "its start failed and Slurm put it on hold",
        f"{_RELEASE}; if it comes back, ask the site's support",
    ),
    Reason(
        "PartitionConfig",
        "no node of the partition has what it asks for",
        _LESS,
        hopeless=True,
    ),
    Reason(
        "PartitionNodeLimit",
        "it asks for more nodes than the partition gives, or they are down",
        _LESS,
        hopeless=True,
    ),
    Reason(
        "PartitionTimeLimit",
        "its walltime is over the partition's limit",
        "ask for a shorter --walltime or for another --queue",
        hopeless=True,
    ),
    Reason(
        "BadConstraints",
        "no node has what it asks for",
        f"{_LESS}; look at job_extra_directives",
        hopeless=True,
    ),
    Reason("PartitionDown", "the partition is down", "name another one with --queue"),
    Reason(
        "PartitionInactive",
        "the partition starts no jobs now",
        "name another one with --queue",
    ),
    Reason(
        "ReqNodeNotAvail*",
        "nodes that it needs are down, drained or reserved, perhaps for maintenance "
        "that begins within its walltime",
        "wait, or ask for a shorter --walltime; `sinfo -R` says why nodes are away",
    ),
    Reason(
        "NodeDown", "a node that it needs is down", "wait or ask the site's support"
    ),
    Reason(
        "Nodes_required_for_job_are_DOWN*",
        "nodes that it needs are down, drained or reserved",
        "wait; `sinfo -R` says why nodes are away",
    ),
    Reason("FrontEndDown", "the cluster's front end is down", "wait"),
    Reason("InvalidAccount", "its account is not valid", _ACCOUNT, hopeless=True),
    Reason("AccountNotAllowed", "its account is not allowed", _ACCOUNT, hopeless=True),
    Reason(
        "InvalidQOS",
        "its QOS is not valid",
        "name another one in job_extra_directives (--qos=...)",
        hopeless=True,
    ),
    Reason(
        "QOSNotAllowed",
        "its QOS is not allowed in this partition or for this account",
        "name another one in job_extra_directives (--qos=...)",
        hopeless=True,
    ),
    Reason("QOSMin*", "it asks for less than its QOS must have", "ask for more", True),
    # Limits of one job never give way; limits of all jobs together do.
    Reason("QOSMax*PerJob*", "it alone is over a limit of its QOS", _LESS, True),
    Reason("QOSMax*PerNode*", "it alone is over a limit of its QOS", _LESS, True),
    Reason("AssocMax*PerJob*", "it alone is over a limit of its account", _LESS, True),
    Reason("AssocMax*PerNode*", "it alone is over a limit of its account", _LESS, True),
    Reason("MaxMemPerLimit", "it asks for more memory than it may", _LESS, True),
    Reason(
        "*Minutes*",
        "the computing time of its account or QOS is used up or promised to others",
        "name another --account, or wait for the budget to be renewed",
    ),
    Reason(
        "QOS*",
        "a limit of its QOS is reached by the jobs that run",
        "it starts when some of them have ended",
    ),
    Reason(
        "Assoc*",
        "a limit of its account is reached by the jobs that run",
        "it starts when some of them have ended",
    ),
    Reason(
        "JobArrayTaskLimit", "as many of its array run as may", "it starts after them"
    ),
    Reason("MaxJobCount*", "the cluster has as many jobs as it may", "wait"),
)


def reason_of(native: str) -> Reason | None:
    """Find what Slurm's word means; None if nothing is known of it."""
    # ``ReqNodeNotAvail, UnavailableNodes:n[1-3]``; ``(Resources)`` as squeue prints it
    text = native.strip("() ")
    return next((r for r in REASONS if fnmatchcase(text, r.pattern)), None)
