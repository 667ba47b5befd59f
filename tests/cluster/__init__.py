"""A real Slurm for tests, and for trying things out: several hosts on one machine."""
