"""What the user sets, each value with the place that it came from."""

from trap_hpc.config.sourced import Sourced, dump, load

__all__ = ["Sourced", "dump", "load"]
