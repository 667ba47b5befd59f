"""How fast trap_hpc is on this machine: ``python -m benchmarks``, or ``make bench``."""
