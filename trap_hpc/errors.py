"""Everything that this package raises on purpose.

::

    TrapHpcError
    ├── UsageError            the command line or a file that the user wrote is wrong
    │   └── ParameterError    a job parameter is unknown, mistyped or out of range
    ├── ImageError            one image can't be used; the run goes on without it
    ├── MeasurementError      a measurement file is missing, cut short or damaged
    └── RunError              the run can't go on; what it did is kept
        ├── StorageError      the run directory can't be written (full, read-only, gone)
        ├── CatalogueError    the catalogue's database can't be reached or written
        ├── CommandError      a program of the system failed, hung or is not there
        │   └── TimedOutError it gave no answer in time; what it did is not known
        ├── SchedulerError    the scheduler refused something, or can't be asked
        └── BrokerError       the broker can't be started or reached

A message says what failed, with which file or command, what came back, and what to
do next: it is shown to the user as it stands.
"""

from __future__ import annotations


class TrapHpcError(Exception):
    """Base of all errors whose message is meant for the user."""


class UsageError(TrapHpcError):
    """The command line, or a file that the user wrote, is wrong."""


class ParameterError(UsageError):
    """A job parameter is unknown, of the wrong type or out of range."""


class ImageError(TrapHpcError):
    """One image can't be used. The message is the reason, without the image's name."""


class MeasurementError(TrapHpcError):
    """A measurement file is missing, cut short or damaged."""


class RunError(TrapHpcError):
    """The run can't go on. What it did is kept and can be resumed."""


class StorageError(RunError):
    """The run directory can't be written: full, read-only or gone."""


class CatalogueError(RunError):
    """The catalogue's database can't be reached or written."""


class CommandError(RunError):
    """A program of the system failed, gave no answer or is not there."""


class TimedOutError(CommandError):
    """A program gave no answer in time: what it did is not known."""


class SchedulerError(RunError):
    """The scheduler refused something, or can't be asked."""


class BrokerError(RunError):
    """The broker can't be started or reached."""
