"""Run after run, until each fault has been tried as often as is wanted."""

from __future__ import annotations

import random
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.fault import Fault, Need
from tests.faults.lab import Lab
from tests.faults.records import STORM, Record, Records
from tests.faults.scene import Scene
from tests.faults.trial import Next, Result, Trial
from tests.faults.verdict import temporary_files

Say = Callable[[str], None]
FRUITLESS = 3
"""Runs in a row in which a fault could not be injected: then it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What is the same for all runs."""

    lab: Lab
    records: Records
    evidence: Path
    """Where the files of runs go in which something was wrong, or of all."""
    keeps_all: bool
    seed: int
    say: Say

    def try_out(self, fault: Fault, tries: int) -> bool:
        """Inject ``fault`` until there are ``tries``; whether all went well."""
        if missing := fault.missing():
            self.say(f"{fault.name} can't be tried here: {missing}")
            return True
        well, fruitless = True, 0
        while (done := self.records.tries(fault.name)) < tries:
            number = len(self.records.of(fault.name)) + 1
            chance = random.Random(f"{self.seed} {fault.name} {number}")
            plan = repeated(fault, tries - done, chance)
            result = self.one_run(fault.name, number, fault.needs, plan, chance)
            well = well and not result.wrong
            fruitless = fruitless + 1 if not result.tries else 0
            if fruitless >= FRUITLESS:
                self.say(f"{fault.name}: could not be injected")
                return False
        return well

    def one_run(
        self,
        kind: str,
        number: int,
        needs: Sequence[Need],
        plan: Iterator[Next],
        chance: random.Random,
    ) -> Result:
        """Make one run, note what came of it, and tidy up."""
        lines: list[str] = []

        def note(text: str) -> None:
            lines.append(f"{time.strftime('%H:%M:%S')} {text}")
            self.say(f"  {lines[-1]}")

        self.say(f"{kind}, run {number}")
        scene = Scene(self.lab, chance, note)
        trial = Trial(scene, plan, storm=kind == STORM)
        try:
            scene.prepare(needs)
            trial.run()
        except Exception:  # noqa: BLE001  one run never stops the others
            trial.result.wrong.append(traceback.format_exc())
            self.say(trial.result.wrong[-1])
        if trial.result.wrong or self.keeps_all:
            keep_evidence(self.evidence / f"{kind}-{number}", scene, trial, lines)
        self._tidy(scene, trial.result)
        record = Record(kind=kind, number=number, seed=self.seed, result=trial.result)
        self.records.add(record)
        self.say(f"  {in_short(trial.result)}")
        return trial.result

    def _tidy(self, scene: Scene, result: Result) -> None:
        scene.put_right(all_of_it=True)
        scene.close()
        if scene.begun and not scene.launch.command.over:
            scene.launch.kill()
        left = self.lab.slurm.tidy()
        if left and not result.left:
            result.left = left
            result.wrong.append(f"left behind: {left}")
        slurm = self.lab.slurm
        for path in temporary_files(slurm, slurm.user, slurm.other):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.rmtree(scene.paths.directory, ignore_errors=True)


def repeated(fault: Fault, tries: int, chance: random.Random) -> Iterator[Next]:
    """Yield the same fault again and again."""
    for _ in range(tries):
        yield chance.uniform(*fault.gap_s), fault


def keep_evidence(
    folder: Path, scene: Scene, trial: Trial, lines: Sequence[str]
) -> None:
    """Copy what tells what happened."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "injected.txt").write_text("\n".join(lines) + "\n")
    (folder / "wrong.txt").write_text("\n\n".join(trial.result.wrong) + "\n")
    said = "\n\n".join(str(each) for each in trial.said)
    last = scene.launch.command.err if scene.begun else ""
    (folder / "launchers.txt").write_text(f"{said}\n{last}\n")
    for name in ("run.log", "session.json", "status.json", "logs", "workers"):
        path = scene.paths.directory / name
        if path.is_dir():
            shutil.copytree(path, folder / name)
        elif path.exists():
            shutil.copy(path, folder / name)


def in_short(result: Result) -> str:
    tries = sum(result.tries.values())
    times = [s for each in result.recoveries_s.values() for s in each]
    worst = f", worst recovery {max(times):.1f} s" if times else ""
    verdict = "WRONG" if result.wrong else "good"
    return (
        f"{verdict}: {tries} injected{worst}, {result.resumes} resumes, "
        f"{result.again} batches sent again, {result.twice} done twice, "
        f"{len(result.left)} left, {result.seconds:.0f} s"
    )
