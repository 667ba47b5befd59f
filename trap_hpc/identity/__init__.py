"""Which code this is: the same identity gives the same results.

A hash over this package's files, Python, and the packages whose code touches a result.
It is the same whether the package is read from a wheel, a checkout or a run's snapshot.
Configuration is not part of it. A run notes it, so that it is never worked on or
finished by other code than it was begun with.
"""

from trap_hpc.identity.code import Part, differences, identity, surroundings
from trap_hpc.identity.record import (
    CodeRecord,
    read_code_record,
    refusal,
    write_code_record,
)
from trap_hpc.identity.snapshot import require_snapshot, running_from, write_snapshot

__all__ = [
    "CodeRecord",
    "Part",
    "differences",
    "identity",
    "read_code_record",
    "refusal",
    "require_snapshot",
    "running_from",
    "surroundings",
    "write_code_record",
    "write_snapshot",
]
