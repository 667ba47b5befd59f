"""``python -m trap_hpc`` is ``trap-hpc``."""

import sys

from trap_hpc.run.session.ctrl_c import hold


def main() -> None:
    """Run one command; Ctrl-C waits until it can be answered, and after the end."""
    hold()
    from trap_hpc.cli.main import main as command

    try:
        command()
    finally:
        hold()


if __name__ == "__main__":
    sys.exit(main())
