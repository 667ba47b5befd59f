"""``python -m trap_hpc`` is ``trap-hpc``."""

from trap_hpc.cli.main import main

if __name__ == "__main__":
    main()
