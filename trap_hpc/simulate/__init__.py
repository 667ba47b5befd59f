"""Images of a sky with known truth: for the demo, for tests and for benchmarks."""

from trap_hpc.simulate.images import simulate
from trap_hpc.simulate.sky import TrueSource, Truth

__all__ = ["TrueSource", "Truth", "simulate"]
