"""Site profiles out of dask-jobqueue's ``jobqueue.yaml``.

What people found out about their cluster is the same for us: what to ask of the
scheduler, what a node needs before a worker starts, and which network to use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trap_hpc.config.judging import checked
from trap_hpc.config.tomlfile import comment, toml_value
from trap_hpc.errors import UsageError

SCHEDULERS = ("slurm",)
"""Sections that we have a scheduler for."""
NOTHING = ("", "null", "Null", "NULL", "~")
"""How YAML spells that there is no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A profile, and how it came about: pairs of a key of the file and a sentence."""

    toml: str
    taken: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...]


SAME = ("queue", "account", "cores", "python", "interface")
# In this order: the second of two is what the scheduler is really asked for.
RENAMED = {
    "project": "account",
    "walltime": "walltime",
    "memory": "memory",
    "job-cpu": "cores",
    "job-mem": "memory",
    "env-extra": "job-script-prologue",
    "job-script-prologue": "job-script-prologue",
    "job-extra": "job-extra-directives",
    "job-extra-directives": "job-extra-directives",
    "header-skip": "job-directives-skip",
    "job-directives-skip": "job-directives-skip",
    "scheduler-options.interface": "interface",
}
LEFT = {
    "name": "jobs are called after their run",
    "processes": "a job has a worker process for each of its cores",
    "death-timeout": "workers end when the launcher is silent for lease-s",
    "local-directory": "workers keep nothing on local disks",
    "shared-temp-directory": "what jobs share is in the run directory",
    "log-directory": "logs are in the run directory",
    "shebang": "the job script is ours, for any shell",
    "extra": "an option of Dask's worker",
    "worker-command": "our own worker is started",
    "worker-extra-args": "options of Dask's worker",
    "scheduler-options": "options of Dask's own scheduler",
}


def import_jobqueue(path: Path, scheduler: str | None = None) -> Imported:
    """Turn a section of a ``jobqueue.yaml`` into a profile.

    ``scheduler`` names the section; without it there must be one that we know.

    Raises
    ------
    UsageError
        The file can't be read or has no such section.
    """
    sections = _sections(path)
    name = _chosen(sections, scheduler, path)
    values = {key.replace("_", "-"): value for key, value in sections[name].items()}
    options = values.get("scheduler-options")
    if isinstance(options, dict) and options.get("interface"):
        values["scheduler-options.interface"] = options.pop("interface")
    return _profile(values, name, path)


def _sections(path: Path) -> dict[str, dict[str, Any]]:
    import yaml

    try:
        # This loader makes texts, lists and mappings, whatever the file asks for; and
        # a walltime of 10:00:00 stays one, where YAML's own rule makes it 36000.
        read = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is not a text file"
        raise UsageError(f"can't read {path}: {what}") from None
    except (yaml.YAMLError, RecursionError) as error:
        sentence = " ".join(str(error).split())
        raise UsageError(f"{path} is not valid YAML: {sentence}") from None
    jobqueue = read.get("jobqueue") if isinstance(read, dict) else None
    if not isinstance(jobqueue, dict):
        raise UsageError(f"{path} has no section `jobqueue`: is it dask-jobqueue's?")
    return {name: each for name, each in jobqueue.items() if isinstance(each, dict)}


def _chosen(sections: Mapping[str, Any], scheduler: str | None, path: Path) -> str:
    known = [name for name in SCHEDULERS if name in sections]
    if scheduler is None and len(known) == 1:
        return known[0]
    if scheduler in known:
        return str(scheduler)
    has = ", ".join(f"jobqueue.{name}" for name in sections) or "none"
    wanted = scheduler or " or ".join(SCHEDULERS)
    raise UsageError(f"{path} has no section jobqueue.{wanted}; it has {has}")


def _profile(values: Mapping[str, Any], name: str, path: Path) -> Imported:
    profile: dict[str, object] = {
        "description": f"imported from {comment(path.name)}",
        "source": f"jobqueue.{name} of {comment(str(path))}",
        "scheduler": name,
    }
    taken, left = [], []
    for key in [*SAME, *RENAMED]:
        for value in _values(values.get(key)):
            ours = RENAMED.get(key, key)
            try:
                _add(profile, ours, value)
                taken.append((key, f"{ours} = {toml_value(profile[ours])}"))
            except ValueError as error:
                left.append((key, str(error)))
    left += _left(values)
    lines = ["schema_version = 1", ""]
    lines += [f"{key} = {toml_value(value)}" for key, value in profile.items()]
    # Of a list that grew, the last sentence has all of it.
    return Imported(
        toml="\n".join(lines) + "\n",
        taken=tuple(dict(taken).items()),
        left=tuple(left),
    )


def _left(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if key not in SAME and key not in RENAMED and list(_values(value)):
            yield key, LEFT.get(key, "not known here")


def _values(value: Any) -> Iterator[str]:
    """Yield the texts in a value, or in a list of them; nothing for YAML's null."""
    if isinstance(value, list | dict):
        for each in value:
            yield from _values(each)
    elif value not in (None, *NOTHING):
        yield str(value)


def _add(profile: dict[str, object], key: str, text: str) -> None:
    """Set a value, or add to a list. Raises ValueError if it is not possible."""
    value = checked(key.replace("-", "_"), SPELLED.get(key, str)(text.strip()))
    if not isinstance(value, tuple):
        profile[key] = value
        return
    if key == "interface":  # the launcher's own comes last, and is the one that counts
        profile[key] = list(value)
        return
    known = profile.setdefault(key, [])
    assert isinstance(known, list)
    known += [each for each in value if each not in known]


# Dask takes whatever sbatch does; we want units -------------------------------------


def _walltime(text: str) -> str:
    """Spell ``sbatch``'s minutes and minutes:seconds out."""
    if text.isdigit():
        return f"{int(text) // 60:02}:{int(text) % 60:02}:00"
    minutes, colon, seconds = text.partition(":")
    if colon and minutes.isdigit() and seconds.isdigit():
        return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{seconds}"
    return text


def _memory(text: str) -> str:
    """Give a plain number its unit: bytes for Dask, megabytes for ``sbatch``."""
    if not text.isdigit():
        return text
    return f"{text}M" if int(text) < 2**24 else f"{-(-int(text) // 2**20)}M"


def _option(text: str) -> str:
    return text.removeprefix("#SBATCH").strip()


SPELLED: dict[str, Callable[[str], str]] = {
    "walltime": _walltime,
    "memory": _memory,
    "job-directives-skip": _option,
}
