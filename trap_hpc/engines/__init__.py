"""Where tasks are worked on: one contract (base), one file an engine."""
