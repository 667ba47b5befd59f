"""Batch schedulers: one contract (base), one file a scheduler."""
