"""``python -m benchmarks [--only NAME] [--quick] [--json]``."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import BenchmarkError, Setting, cores
from benchmarks.figures import Figure, as_json, table
from trap_hpc.config.environment import cap_threads

IDLE_LOAD = 0.5


@dataclass(frozen=True, slots=True)
class Measurement:
    """A function of this package, which is imported when it is wanted."""

    module: str
    function: str
    what: str

    def figures(self, setting: Setting) -> Iterator[Figure]:
        function = getattr(importlib.import_module(self.module), self.function)
        try:
            yield from function(setting)
        except BenchmarkError as error:
            yield Figure(name=self.what, unit="", remark=str(error))


def _here(module: str, what: str, function: str = "figures") -> Measurement:
    return Measurement(f"benchmarks.{module}", function, what)


MEASUREMENTS = {
    "help": _here("startup", "time of trap-hpc --help", "help_figures"),
    "first": _here("startup", "time to the first image", "first_image_figures"),
    "512": _here("throughput", "images of 512 x 512", "small"),
    "2048": _here("throughput", "images of 2048 x 2048", "medium"),
    "4096": _here("throughput", "images of 4096 x 4096", "large"),
    "association": _here("association", "association without pixels"),
    "forced": _here("forced", "forced fits"),
    "memory": _here("memory", "memory and time of the driver in a long run"),
    "load": _here("load", "a thousand workers, up to 100,000 images"),
    "reports": _here("reports", "reports of a thousand workers"),
    "slurm-first": _here("slurm_first", "time to the first image on Slurm"),
    "slurm-end": _here("slurm_end", "time to an empty queue"),
    "slurm-rate": _here("slurm_rate", "images per second on Slurm"),
    "upstream": _here("upstream", "PyPI trap on the same images"),
}


def main() -> None:
    words = _parser().parse_args()
    cap_threads()  # before anything imports numpy, here and in all commands
    names = words.only or list(MEASUREMENTS)
    machine = describe_machine()
    _say("; ".join(f"{key}: {value}" for key, value in machine.items()))
    if _load() > IDLE_LOAD:
        _say("other programs are at work: times will be too long, ratios too small")
    found = []
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory(prefix=".work-", dir=here) as scratch:
        for name in names:
            _say(f"== {name}: {MEASUREMENTS[name].what}")
            folder = Path(scratch) / name
            folder.mkdir(exist_ok=True)
            setting = Setting(quick=words.quick, folder=folder)
            started = time.perf_counter()
            for figure in MEASUREMENTS[name].figures(setting):
                _say(f"   {figure.line()}")
                found.append(figure)
            _say(f"   measured in {time.perf_counter() - started:.0f} s")
    print(as_json(found, machine) if words.json else "\n" + table(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure how fast trap_hpc is on this machine.",
        epilog="; ".join(f"{n}: {m.what}" for n, m in MEASUREMENTS.items()),
    )
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewer images and runs")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    return parser


def describe_machine() -> dict[str, str]:
    """What the figures hold for."""
    return {
        "processor": _processor(),
        "cores": str(len(cores())),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": f"{_load():.2f}",
    }


def _load() -> float:
    """Programs at work in the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line for line in text.splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _say(text: str) -> None:
    """Tell how it goes on, apart from the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
