"""A shared folder in which hosts see late what others have written.

Each host looks at it through a file system of its own (FUSE, by bindfs) that remembers
for some seconds that a file is not there, as NFS does; and somebody on each host asks
for the files of a run all the time before they are there.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.ci import lacking
from tests.cluster.hosts import Host
from tests.cluster.processes import wait_until

PROGRAM = "bindfs"
BATCHES = 150
"""So many of a run are asked for."""

ASK = f"""
import os, sys, time
paths = ["broker.json", "lease"]
for step in ("scan", "measure", "force"):
    for number in range(1, {BATCHES + 1}):
        name = f"{{step}}-1-{{number:06d}}"
        paths += [f"batches/{{name}}.json", f"measurements/{{name}}.1.h5"]
run = sys.argv[1]
# Not for the run directory: Slurm could not write its logs where it is missing.
while os.path.basename(run) not in os.listdir(os.path.dirname(run)):
    time.sleep(0.1)
while True:
    for path in paths:
        os.path.exists(f"{{run}}/{{path}}")
    time.sleep(0.2)
"""


@contextmanager
def late_view(hosts: Sequence[Host], folder: Path, late_s: float) -> Iterator[None]:
    """Show ``folder`` late to ``hosts``; a run in ``folder / "run"`` suffers most."""
    if shutil.which(PROGRAM) is None or not Path("/dev/fuse").exists():
        lacking(f"files can't be shown late without {PROGRAM} and /dev/fuse")
    with ExitStack() as stack:
        for host in hosts:
            _cover(host, folder, late_s)
            stack.callback(host.run, ["umount", "--lazy", folder])
            run = folder / "run"
            asking = host.start([sys.executable, "-I", "-S", "-c", ASK, run])
            stack.callback(asking.end)
        yield


def _cover(host: Host, folder: Path, late_s: float) -> None:
    times = ",".join(
        f"{kind}_timeout={late_s}" for kind in ("attr", "entry", "negative")
    )
    host.run([PROGRAM, "-o", f"nonempty,{times}", folder, folder])
    mounted = ["grep", "-q", f" {folder} fuse", "/proc/mounts"]
    wait_until(lambda: host.start(mounted).wait().code == 0, "it is mounted")
