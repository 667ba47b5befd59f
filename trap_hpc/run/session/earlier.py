"""What must be put in order before a session begins: its own past, and others'."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from trap_hpc.errors import RunError
from trap_hpc.run.registry import known_runs
from trap_hpc.run.session.reap import Leftover, leftovers, real_reaper


def end_earlier_session(
    run_id: str, directory: Path, say: Callable[[str], None]
) -> None:
    """Remove what an earlier session of this very run left: its jobs have our name.

    Raises
    ------
    RunError
        It lives, or can't be removed.
    """
    for reaped in real_reaper(say).reap(leftovers({run_id: directory})):
        if reaped.verdict == "changed":  # by somebody who reaps: look again
            end_earlier_session(run_id, directory, say)
        elif reaped.verdict == "alive":
            raise RunError(
                f"{run_id} {reaped.text}, and works on this run; `trap-hpc stop "
                f"{run_id}` ends that"
            )
        elif reaped.verdict != "removed":
            raise RunError(f"an earlier session of {run_id} can't end: {reaped.text}")
        else:
            say(f"an earlier session of {run_id} was left behind: {reaped.text}")


def reap_others(run_id: str, say: Callable[[str], None]) -> None:
    """Remove in the background what other runs left whose launchers are gone."""

    def work() -> None:
        runs = {name: path for name, path in known_runs().items() if name != run_id}
        reap_quietly(leftovers(runs), say)

    # Nobody waits for it: what it does not manage is done the next time.
    threading.Thread(target=work, name="reap", daemon=True).start()


def reap_quietly(found: Sequence[Leftover], say: Callable[[str], None]) -> None:
    """Reap what nobody asked for: say what was removed, and disturb nobody."""
    try:
        for reaped in real_reaper(_nothing).reap(found):
            if reaped.verdict == "removed":
                say(f"{reaped.run_id} was left behind: {reaped.text}")
    except Exception:  # noqa: BLE001  the next command tries again
        return


def _nothing(_: str) -> None:
    """Say nothing."""
