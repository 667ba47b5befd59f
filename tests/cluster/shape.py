"""How a cluster looks, and its files: slurm.conf, hosts, a site profile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NETWORK = "10.77.0"
OUTSIDE = "10.99.0"
"""Of a second interface of login hosts; what nodes send there gets lost."""
LOGIN_HOSTS = ("login", "login2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size and settings of a cluster."""

    nodes: int = 3
    cpus: int = 2
    """Claimed by each node, whatever the machine has."""
    memory_mb: int = 4000
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of slurm.conf, beside or in the place of ours."""
    partitions: Mapping[str, str] = field(default_factory=lambda: PARTITIONS)
    limits_memory: bool = False
    """The kernel holds jobs to their memory, see `memory`."""

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(f"n{number}" for number in range(1, self.nodes + 1))


SETTINGS = {
    "AuthType": "auth/none",
    "CredType": "cred/none",
    "SlurmUser": "root",
    "ProctrackType": "proctrack/linuxproc",
    "TaskPlugin": "task/none",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_Core_Memory",
    "DefMemPerCPU": "200",
    "ReturnToService": "2",
    "MpiDefault": "none",
    "MailProg": "/bin/true",
    "AccountingStorageType": "accounting_storage/none",
    "SlurmdParameters": "config_overrides",
    "KillWait": "5",
    "SlurmdTimeout": "10",
    "MessageTimeout": "5",
    "TreeWidth": "1000",
    "MinJobAge": "300",
    "MaxArraySize": "2001",
    "SchedulerParameters": (
        "sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0"
    ),
    "JobSubmitPlugins": "lua",
    "SlurmctldDebug": "info",
    "SlurmdDebug": "info",
}

PARTITIONS: Mapping[str, str] = {
    "main": "Default=YES MaxTime=1-00:00:00 DefaultTime=01:00:00",
    "short": "MaxTime=00:01:00 DefaultTime=00:01:00",
    "tiny": "MaxMemPerNode=100 DefMemPerCPU=50",
    "closed": "State=DOWN",
}
"""What a user may meet: limits of time and of memory, a queue that is shut."""

JOB_SUBMIT = """\
function slurm_job_submit(job, partitions, uid)
    if job.account ~= nil and job.account ~= "radio" and job.account ~= "spent" then
        return slurm.ESLURM_INVALID_ACCOUNT
    end
    if job.account == "spent" then
        return slurm.ESLURM_ACCOUNTING_POLICY
    end
    return slurm.SUCCESS
end

function slurm_job_modify(job, record, partitions, uid)
    return slurm.SUCCESS
end
"""
"""What would need Slurm's own database: one account is good, of another one the limit
of jobs is reached, and there are no others."""


def conf_path(folder: Path) -> Path:
    return folder / "slurm.conf"


def slurm_conf(name: str, folder: Path, shape: Shape) -> str:
    settings = {
        "ClusterName": name,
        "SlurmctldHost": f"login({NETWORK}.1)",
        "StateSaveLocation": f"{folder}/state",
        "SlurmdSpoolDir": f"{folder}/spool-%n",
        "SlurmctldPidFile": f"{folder}/slurmctld.pid",
        "SlurmdPidFile": f"{folder}/slurmd-%n.pid",
        "SlurmctldLogFile": f"{folder}/slurmctld.log",
        "SlurmdLogFile": f"{folder}/slurmd-%n.log",
        **SETTINGS,
        **({"TaskPlugin": "task/cgroup"} if shape.limits_memory else {}),
        **shape.settings,
    }
    lines = [f"{key}={value}" for key, value in settings.items()]
    lines += [
        f"NodeName={node} NodeAddr={address(node)} CPUs={shape.cpus} "
        f"RealMemory={shape.memory_mb}"
        for node in shape.node_names
    ]
    lines += [
        f"PartitionName={partition} Nodes=ALL {rest}"
        for partition, rest in shape.partitions.items()
    ]
    return "\n".join(lines) + "\n"


def address(host: str) -> str:
    """Return a host's address; ``n3`` has 10.77.0.13."""
    if host in LOGIN_HOSTS:
        return f"{NETWORK}.{LOGIN_HOSTS.index(host) + 1}"
    return f"{NETWORK}.{10 + int(host.removeprefix('n'))}"


def outside_address(login_host: str) -> str:
    return f"{OUTSIDE}.{LOGIN_HOSTS.index(login_host) + 1}"


def hosts_file(shape: Shape) -> str:
    lines = ["127.0.0.1 localhost"]
    for host in (*LOGIN_HOSTS, *shape.node_names):
        lines.append(f"{address(host)} {host}.trap.test {host}")
    return "\n".join(lines) + "\n"


SITE: Mapping[str, object] = {
    "description": "the tests' own Slurm",
    "scheduler": "slurm",
    "queue": "main",
    "cores": 2,
    "memory": "400MB",
    "walltime": "00:30:00",
    "interface": [f"{NETWORK}.0/24"],
    "poll-s": 5.0,
}


def site_profile(changes: Mapping[str, object]) -> str:
    """Return the profile of a cluster; None takes a value out."""
    values = {**SITE, **changes}
    return "".join(
        f"{key} = {_toml(value)}\n"
        for key, value in values.items()
        if value is not None
    )


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
