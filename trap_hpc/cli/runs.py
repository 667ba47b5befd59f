"""``trap-hpc runs``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from trap_hpc.cli.output import echo, json_option, print_json, print_rows


@click.command(help="List the runs that are known here, the newest last.")
@json_option
def runs(as_json: bool) -> int:
    """Print the known runs."""
    from trap_hpc.run.registry import known_runs

    known = {name: (path, _status(path)) for name, path in known_runs().items()}
    if as_json:
        print_json({"runs": [_record(n, p, s) for n, (p, s) in known.items()]})
    elif known:
        rows = [(n, _phase(s), _images(s), str(p)) for n, (p, s) in known.items()]
        print_rows(("run", "phase", "images", "directory"), rows, left=(0, 1, 3))
    else:
        echo("No runs yet. Begin with: trap-hpc run IMAGES...")
    return 0


def _status(path: Path) -> dict[str, Any]:
    """Return what the run last said of itself, and whether it was the last word."""
    from trap_hpc.run.overview import overview

    seen = overview(path)
    if seen.progress is None:
        return {"phase": "waiting"} if seen.waiting else {}
    return asdict(seen.progress)


def _phase(status: dict[str, Any]) -> str:
    return str(status.get("phase", "unknown"))


def _images(status: dict[str, Any]) -> str:
    return str(status.get("images", "-"))


def _record(name: str, path: Path, status: dict[str, Any]) -> dict[str, Any]:
    return {"run_id": name, "directory": str(path), "status": status}
