"""Images that kill, hang or vanish."""

from __future__ import annotations

import re
import shutil
import time
from datetime import datetime
from pathlib import Path

from tests.cluster.launches import fresh
from tests.faults.fault import Hit, fault
from tests.faults.filesystems.mounts import what_is_missing
from tests.faults.recovery import first_done
from tests.faults.scene import Scene

CURSED = 5
"""Images of a run, besides all those that are good."""
LIMIT_S = 6.0
_REFUSED = r"^(\S+) \w+: {}: (.*)$"


def poisoned(scene: Scene) -> None:
    """Add images that kill, some at once, others when their pixels are read."""
    add_cursed(scene, "kills")


def hanging(scene: Scene) -> None:
    """Add images that hang."""
    add_cursed(scene, "hangs")


def add_cursed(scene: Scene, curse: str) -> None:
    skies = sorted(scene.lab.at_hand(scene.lab.images).glob("*.fits"))
    for number, sky in enumerate(scene.chance.sample(skies, CURSED)):
        name = f"{curse}-{number}.fits"
        when = scene.chance.choice(("", " at once"))
        shutil.copy(sky, scene.lab.behind / name)
        (scene.lab.curses / name).write_text(f"{curse}{when}")
        image = scene.lab.cursed / name
        scene.images.append(image)
        scene.cursed.append(image)
    scene.refuses = True
    scene.stack.callback(clear, scene)


def clear(scene: Scene) -> None:
    for folder in (scene.lab.curses, scene.lab.behind):
        for path in folder.iterdir():
            path.unlink()


def impatient(scene: Scene) -> None:
    """Let no image take long."""
    scene.site["time_limit_s"] = LIMIT_S


def patient(scene: Scene) -> None:
    """Let an image take longer than a process is ever suspended."""
    scene.site["time_limit_s"] = 2 * LIMIT_S


@fault(
    "poison image",
    "an image kills each process that opens it, or reads its pixels, and is refused",
    needs=(poisoned,),
    gap_s=(0.0, 0.5),
    from_start=True,
    missing=what_is_missing,
)
def poison(scene: Scene) -> Hit | str:
    return next_cursed(scene, "kills")


@fault(
    "hanging image",
    f"reading an image never ends, `time-limit-s` is {LIMIT_S:g}, and it is refused",
    needs=(hanging, impatient),
    gap_s=(0.0, 0.5),
    from_start=True,
    missing=what_is_missing,
)
def hang(scene: Scene) -> Hit | str:
    return next_cursed(scene, "hangs")


def next_cursed(scene: Scene, curse: str) -> Hit | str:
    """Take one that is there from the start, and waits for whoever comes."""
    image = next((each for each in scene.cursed if curse in each.name), None)
    if image is None:
        return ""
    scene.cursed.remove(image)
    met = scene.lab.curses / f"{image.name}.met"
    return Hit(
        words=image.name,
        struck=lambda: first_number(met),
        recovered=lambda: refused_s(scene, image),
    )


def first_number(path: Path) -> float | None:
    return float(path.read_text().split()[0]) if path.exists() else None


def refused_s(scene: Scene, image: Path) -> float | None:
    """Return when an image was refused, by the log."""
    pattern = _REFUSED.format(re.escape(str(image)))
    found = re.search(pattern, scene.paths.log.read_text(), re.MULTILINE)
    return datetime.fromisoformat(found[1]).timestamp() if found else None


def copies(scene: Scene) -> None:
    """Let the run work on copies of a few images."""
    lab = scene.lab
    name = fresh(scene.slurm, "copies").name
    shutil.copytree(lab.few, lab.stored / name)
    scene.stack.callback(shutil.rmtree, lab.stored / name)
    scene.images = [lab.slow / name]
    scene.reference = lambda: scene.lab.without_fits(lost_images(scene))


@fault(
    "image vanished",
    "an image is gone between its measurement and its forced fits; the serial run, "
    "too, has none of these",
    needs=(copies,),
    gap_s=(0.5, 1.5),
    refuses=True,
    in_storm=False,
)
def vanish(scene: Scene) -> Hit | str:
    """Take the image away that was measured last: nobody has needed it again yet."""
    seen = scene.watcher.so_far()
    done = first_done(seen.done)
    batches = [batch for batch in done if batch.startswith("measure-")]
    for batch in sorted(batches, key=lambda batch: done[batch], reverse=True):
        for address in sorted(seen.sent[batch].images):
            if scene.lab.at_hand(address).exists():
                return vanished(scene, Path(address))
    return ""


def vanished(scene: Scene, image: Path) -> Hit:
    at_s = time.time()
    stored = scene.lab.at_hand(image)
    stored.rename(stored.with_suffix(".gone"))
    lost = f"{image}"
    return Hit(
        words=image.name,
        struck=lambda: at_s if lost in lost_images(scene) else None,
        recovered=lambda: refused_s(scene, image),
    )


def lost_images(scene: Scene) -> list[str]:
    """Return the images whose forced fits the run had to do without."""
    query = "SELECT address FROM refusal WHERE step = 'force' ORDER BY address"
    return [str(address) for (address,) in scene.ask_ledger(query)]
