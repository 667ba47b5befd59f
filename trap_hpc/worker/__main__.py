"""What a job script starts: ``python -P -m trap_hpc.worker RUN EPOCH``."""

from __future__ import annotations

import logging
import sys
from copy import copy
from pathlib import Path

from trap_hpc.paths import RunPaths
from trap_hpc.worker.admission import NotAdmittedError, admit
from trap_hpc.worker.environment import prepare_environment, restarted
from trap_hpc.worker.place import find_place
from trap_hpc.worker.roll import Roll
from trap_hpc.worker.serving import serve

EXIT_FAILED = 1
EXIT_USAGE = 2

log = logging.getLogger("trap_hpc.worker")


class _Plain(logging.Formatter):
    """A line each; libraries add tracebacks even to what is expected to happen."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if not record.name.startswith("trap_hpc"):
            record = copy(record)
            record.exc_info = record.exc_text = None
        return super().format(record)


def main(arguments: list[str]) -> int:
    """Run a worker; return its exit code."""
    prepare_environment()
    if len(arguments) != 2 or not arguments[1].isdigit():
        log.error("usage: python -P -m trap_hpc.worker RUN EPOCH")
        return EXIT_USAGE
    paths, epoch = RunPaths(Path(arguments[0]).absolute()), int(arguments[1])
    place = find_place()
    set_up_logging(place.node)
    roll = Roll(paths.roll_calls, place, epoch)
    roll.say()
    log.info("job %s, %d cores", place.job, place.cores)
    try:
        serve(admit(paths, epoch, roll, patient=restarted()), place, roll)
        raise RuntimeError("Celery gave up; what it logged is above")
    except NotAdmittedError as reason:
        log.info("%s", reason)
        roll.say(state=reason.state, message=str(reason))
        return reason.exit_code
    except Exception as error:
        log.exception("failed")
        roll.say(state="failed", message=f"{type(error).__name__}: {error}")
        return EXIT_FAILED


def set_up_logging(node: str) -> None:
    """Log to standard error: what we say, and what libraries warn of."""
    handler = logging.StreamHandler()
    plain = _Plain(f"%(asctime)s {node} %(message)s")
    handler.setFormatter(plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # The pool's own logger shares nothing with others.
    logging.getLogger("multiprocessing").addHandler(handler)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    logging.getLogger("trap_hpc").setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
