"""``trap-hpc``, and ``python -m trap_hpc``."""

import signal


def main() -> None:
    """Run one command; Ctrl-C waits until it can be answered, and after the end."""
    # Before anything is imported: else a traceback would be the answer.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    from trap_hpc.cli.main import main as command
    from trap_hpc.run.session.ctrl_c import hold

    try:
        command()
    finally:
        hold()


if __name__ == "__main__":
    main()
