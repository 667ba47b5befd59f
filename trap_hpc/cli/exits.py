"""Exit codes, as docs/reference/exit-codes.md lists them (0 and 3: run.progress)."""

FAILED = 1
USAGE = 2
INTERRUPTED = 130
