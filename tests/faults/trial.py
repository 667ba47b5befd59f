"""A run from its start to its end, with resumes, while things are broken."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.cluster.processes import Said
from tests.faults.fault import Fault
from tests.faults.scene import LEASE_S, Scene
from tests.faults.verdict import compared, executed, left_behind

LOOK_S = 0.05
STILL_S = 180.0
"""A run in which nothing happens for so long hangs."""
RESUMES = 60
AGAIN_S, VAIN = 0.2, 100
"""There may be something to break in a moment; after so many there is not."""
FINISHED = (0, 3)
RESUMABLE = "What was done is kept: `trap-hpc resume"
"""So ends whoever stops with a clear word."""
Next = tuple[float, Fault]
"""How long to wait, then what to break."""


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of one run."""

    tries: dict[str, int] = field(default_factory=dict)
    """How often each fault was injected."""
    recoveries_s: dict[str, list[float]] = field(default_factory=dict)
    resumes: int = 0
    lost: int = 0
    counted_twice: int = 0
    batches: int = 0
    again: int = 0
    twice: int = 0
    left: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """Whatever is not as promised, in words."""
    seconds: float = 0.0


class Trial:
    """Drives one run; ``plan`` says what to break and when."""

    def __init__(
        self, scene: Scene, plan: Iterator[Next], *, storm: bool = False
    ) -> None:
        """``storm``: things break though the run has not recovered from the last one.

        So much may break at once that it says that it can't go on.
        """
        self._scene = scene
        self._storm = storm
        self._plan = plan
        self._next = next(plan, None)
        self._due_s = 0.0
        self._moved_s = time.monotonic()
        self._written = 0
        self._in_vain = 0
        self._codes: list[int] = []
        self.said: list[Said] = []
        self.result = Result()

    def run(self) -> Result:
        """Let it run to its end, and judge it."""
        began_s = time.monotonic()
        scene = self._scene
        scene.begin()
        self._await(first=True)
        while not self._finished():
            self._break_something()
            scene.put_right()
            time.sleep(LOOK_S)
        scene.put_right(all_of_it=True)
        self._judge()
        self.result.seconds = time.monotonic() - began_s
        return self.result

    # --- while it goes on

    def _await(self, *, first: bool = False) -> None:
        """Set the time of the next injection."""
        if self._next is not None:
            gap_s, fault = self._next
            waits = first and not fault.from_start
            self._due_s = time.monotonic() + gap_s if not waits else 0.0

    def _break_something(self) -> None:
        if self._next is None:
            return
        gap_s, fault = self._next
        if not fault.from_start and not self._scene.working:
            return
        if not self._due_s:
            self._due_s = time.monotonic() + gap_s
        if time.monotonic() < self._due_s or not self._recovered():
            return
        injected = self._scene.inject(fault)
        self._in_vain = 0 if injected else self._in_vain + 1
        if not injected and self._in_vain < VAIN:
            self._due_s = time.monotonic() + AGAIN_S
            return
        self._moved_s = time.monotonic() if injected else self._moved_s
        self._in_vain = 0
        self._next = next(self._plan, None)
        self._await()

    def _recovered(self) -> bool:
        """Whether the next may come: in a storm it may at any time."""
        if self._storm or not self._scene.injections:
            return True
        return self._scene.injections[-1].is_over(self._scene.watcher.so_far())

    def _finished(self) -> bool:
        launch = self._scene.launch
        if not launch.command.over:
            self._look_whether_it_hangs()
            return False
        said = launch.wait()
        self.said.append(said)
        self._codes.append(said.code)
        if "Traceback" in said.out + said.err:
            self._wrong(f"a traceback: {said}")
        if said.code in FINISHED:
            return True
        self._ended(said)
        return self.result.resumes >= RESUMES

    def _look_whether_it_hangs(self) -> None:
        written = len(self._scene.watcher.seen.done)
        if written != self._written:
            self._written, self._moved_s = written, time.monotonic()
        if time.monotonic() - self._moved_s > STILL_S:
            self._wrong(f"nothing happened for {STILL_S:g} s")
            self._scene.launch.kill()
            self._moved_s = time.monotonic()

    def _ended(self, said: Said) -> None:
        """Resume, after a launcher that ended with the run unfinished."""
        scene = self._scene
        due = self._unanswered()
        faults = {each.fault.name: each.fault for each in scene.injections}
        might = [fault.may_stop for fault in faults.values() if fault.may_stop]
        might += [RESUMABLE] if self._storm else []
        expected = any(_as_expected(fault, said) for fault in due)
        if not expected and not any(_stopped(said, words) for words in might):
            self._wrong(f"it stopped: {said}")
        pause_s = scene.chance.uniform(0, LEASE_S)
        if all(fault.kills_launcher for fault in due):
            self._pass(pause_s)
        scene.put_right(all_of_it=any(not fault.kills_launcher for fault in due))
        self.result.resumes += 1
        scene.resume(scene.chance.choice(("login", "login2")))
        self._moved_s = time.monotonic()
        self._await()

    def _pass(self, seconds: float) -> None:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            self._scene.put_right()
            time.sleep(LOOK_S)

    def _unanswered(self) -> Sequence[Fault]:
        """Return the faults that were to end the launcher."""
        return [
            each.fault
            for each in self._scene.injections
            if each.fault.ends_launcher and each.resumed_s is None
        ]

    def _wrong(self, words: str) -> None:
        self._scene.note(f"WRONG: {words}")
        self.result.wrong.append(words)

    # --- afterwards

    def _judge(self) -> None:
        scene, result = self._scene, self.result
        seen = scene.watcher.stop()
        struck = [x for x in scene.injections if x.struck_s is not None]
        for each in struck:
            name = each.fault.name
            result.tries[name] = result.tries.get(name, 0) + 1
            if (took_s := each.took_s(seen)) is not None:
                result.recoveries_s.setdefault(name, []).append(round(took_s, 2))
        result.left = left_behind(scene)
        refuses = scene.refuses or any(each.fault.refuses for each in struck)
        self._judge_catalogue(refuses=refuses)
        done = executed(scene, seen)
        result.batches, result.again, result.twice = (
            done.batches,
            done.again,
            done.twice,
        )
        if done.doubled:
            self._wrong(f"sendings that were done twice: {seen.doubled}")
        if result.left:
            self._wrong(f"left behind: {result.left}")

    def _judge_catalogue(self, *, refuses: bool) -> None:
        scene, result = self._scene, self.result
        if self._codes[-1] != (3 if refuses else 0):
            self._wrong(f"ended with code {self._codes[-1]}: {self.said[-1]}")
        if self._codes[-1] not in FINISHED:
            return
        reference = scene.reference()
        for catalogue in scene.catalogues:
            found = compared(scene, reference, catalogue)
            result.lost += found.lost
            result.counted_twice += found.counted_twice
            if not found.same:
                self._wrong(f"{catalogue} is another catalogue: {found.words}")


def _as_expected(fault: Fault, said: Said) -> bool:
    if fault.kills_launcher:
        return said.code < 0 or said.code == 137
    return _stopped(said, fault.stops)


def _stopped(said: Said, words: str) -> bool:
    return said.code == 1 and re.search(words, said.err) is not None
