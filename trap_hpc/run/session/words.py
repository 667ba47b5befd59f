"""Jobs and workers in words: five hundred that say the same are one sentence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from trap_hpc.schedulers.base import Job, State
from trap_hpc.worker.rollcall import RollCall

T = TypeVar("T")
SHOWN = 5
NETWORK = (
    "name what the nodes can reach as `interface` in the site's profile; `trap-hpc "
    "doctor` finds it out"
)
_TASK = re.compile(r"(.*_)(\d+)")
_NOTHING = ("", "None", "(null)", "N/A")


def count(number: int, noun: str) -> str:
    """Return ``1 job`` or ``3 jobs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def groups(things: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Put together what has the same key, in the order of first sight."""
    found: dict[Hashable, list[T]] = {}
    for thing in things:
        found.setdefault(key(thing), []).append(thing)
    return list(found.values())


def some(names: Iterable[str]) -> str:
    """Name the first few of these."""
    known = list(dict.fromkeys(names))
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return ", ".join(known[:SHOWN]) + more


def ids_text(ids: Iterable[str]) -> str:
    """Return ids of jobs as Slurm writes them: ``12_[0-3,7]``."""
    arrays: dict[str, list[int]] = {}
    for each in ids:
        match = _TASK.fullmatch(each)
        numbers = arrays.setdefault(match[1] if match else each, [])
        if match:
            numbers.append(int(match[2]))
    return some(_array_text(name, numbers) for name, numbers in arrays.items())


def _array_text(name: str, numbers: list[int]) -> str:
    if not numbers:
        return name
    parts = [
        str(first) if first == last else f"{first}-{last}"
        for first, last in _ranges(sorted(set(numbers)))
    ]
    text = ",".join(parts[:SHOWN]) + (",..." if len(parts) > SHOWN else "")
    return f"{name}{text}" if len(numbers) == 1 else f"{name}[{text}]"


def _ranges(numbers: Sequence[int]) -> Iterable[tuple[int, int]]:
    known = set(numbers)
    starts = [number for number in numbers if number - 1 not in known]
    ends = [number for number in numbers if number + 1 not in known]
    return zip(starts, ends, strict=True)


def states_text(jobs: Sequence[Job]) -> str:
    """Return ``3 jobs: 2 running, 1 pending (Priority)``."""
    numbers = Counter(job.state for job in jobs)
    return f"{count(len(jobs), 'job')}: " + ", ".join(
        f"{numbers[state]} {state.value}{_reasons(jobs, state)}"
        for state in State
        if numbers[state]
    )


def of_many(job: Job, explanation: str) -> str:
    """Return what is true of all jobs that are like ``job``: without its own name."""
    name = rf"job {re.escape(job.id)}"
    return re.sub(rf"^{name}( waits| will never start| on \S+)?:? ", "", explanation)


def reason(job: Job) -> str:
    """Return the scheduler's own word for why a job waits or ended, if it has one."""
    return "" if job.reason in _NOTHING else job.reason


def _reasons(jobs: Sequence[Job], state: State) -> str:
    if state is not State.PENDING:
        return ""
    words = Counter(reason(job) for job in jobs if job.state is state)
    named = ", ".join(word for word, _ in words.most_common(3) if word)
    return f" ({named})" if named else ""


def left_text(jobs: Sequence[Job]) -> str:
    """Name jobs that are still there, each kind once."""
    kinds = groups(jobs, lambda job: (job.state, job.native))
    return "; ".join(
        f"{ids_text(job.id for job in kind)} {kind[0].state.value} "
        f"({kind[0].native}){on_nodes(job.node for job in kind)}"
        for kind in kinds
    )


def on_nodes(nodes: Iterable[str]) -> str:
    """Return `` on n1, n2``; empty if none is known."""
    names = some(node for node in nodes if node not in _NOTHING)
    return f" on {names}" if names else ""


def call_key(call: RollCall) -> Hashable:
    """Return what workers have in common that could not begin for the same reason."""
    if call.state == "refused":
        return call.state, call.identity, call.expected
    if call.state == "unreachable":
        return call.state, tuple((t.address, t.error) for t in call.tries)
    return call.state, call.message


def calls_text(calls: Sequence[RollCall], port: int) -> str:
    """Say why workers, who all have the same reason, could not begin.

    ``port`` is the broker's.
    """
    first = calls[0]
    who = f"{count(len(calls), 'worker')}{on_nodes(call.node for call in calls)}"
    if first.state == "refused":
        return f"{who} refused: {_other_code(first)}"
    if first.state == "unreachable":
        tries = ", ".join(f"{_host(t.address)}:{port} ({t.error})" for t in first.tries)
        return f"{who} could not reach the launcher: tried {tries}; {NETWORK}"
    return f"{who} failed: {first.message}"


def _other_code(call: RollCall) -> str:
    codes = f"runs code {call.identity}, the run has code {call.expected}"
    beginning, _, differs = call.message.partition(": ")
    both = call.identity in beginning and call.expected in beginning
    return f"{codes}: {differs if both else call.message}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
