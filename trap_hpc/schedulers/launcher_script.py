"""The script of a launcher that is a batch job itself, where login nodes end it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from trap_hpc.config.site import Site
from trap_hpc.schedulers.script import preparations

BEGIN = """\
# A shell hears signals only between commands. USR1 comes before the walltime, TERM
# from scancel: both leave time to end the workers, and `trap-hpc resume` goes on there.
running='' stopped=''
stop() {
    stopped=yes
    [ -z "$running" ] || kill -TERM "$running" 2>/dev/null
}
trap stop USR1 TERM INT HUP
"""
END = """\
running=$!
[ -z "$stopped" ] || stop # it came a moment before
while kill -0 "$running" 2>/dev/null; do
    wait "$running"
done
wait "$running" # the shell remembers how it ended
exit "$?"
"""


def launcher_script(
    site: Site,
    words: Sequence[str],
    *,
    run: Path,
    run_id: str,
    code: Path,
    environment: Mapping[str, str],
    user_site: bool,
) -> str:
    """Write the script that runs `trap-hpc` with ``words`` on a job's first node.

    The other arguments are as those of `job_script`.

    Raises
    ------
    UsageError
        A path can't be written into a script, or not into PYTHONPATH.
    """
    ours = preparations(
        site, run=run, code=code, environment=environment, user_site=user_site
    )
    program = [site.python or sys.executable, "-P", "-m", "trap_hpc", *words]
    lines = [
        "#!/bin/bash",
        f"# Launcher of {run_id}: it starts workers on all nodes of its job.",
        "",
        *ours,
        "",
        f"{BEGIN}{shlex.join(program)} &",
    ]
    return "\n".join(lines) + "\n" + END
