"""Every file name of a run directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trap_hpc.errors import UsageError
from trap_hpc.files import cannot_write, make_folder
from trap_hpc.trust import owned_by


@dataclass(frozen=True, slots=True)
class RunPaths:
    """The files of one run."""

    directory: Path

    @property
    def ledger(self) -> Path:
        """What was intended, sent and finished."""
        return self.directory / "ledger.sqlite"

    @property
    def catalogue(self) -> Path:
        """The result, unless a database was named."""
        return self.directory / "catalogue.sqlite"

    @property
    def lightcurves(self) -> Path:
        """All light curves in one HDF5 file."""
        return self.directory / "lightcurves.h5"

    @property
    def plan(self) -> Path:
        """How the run was started."""
        return self.directory / "plan.toml"

    @property
    def site(self) -> Path:
        """The site's values in effect, each with its origin."""
        return self.directory / "site.toml"

    @property
    def parameters(self) -> Path:
        """The job parameters in effect, each with its origin."""
        return self.directory / "parameters.toml"

    @property
    def status(self) -> Path:
        """How far the run is; replaced as a whole."""
        return self.directory / "status.json"

    @property
    def log(self) -> Path:
        """What happened, for people."""
        return self.directory / "run.log"

    @property
    def batches(self) -> Path:
        """What each task works on."""
        return self.directory / "batches"

    @property
    def measurements(self) -> Path:
        """What each task found."""
        return self.directory / "measurements"

    @property
    def code(self) -> Path:
        """The snapshot of the code, one zip file: what every worker imports."""
        return self.directory / "code.zip"

    @property
    def identity(self) -> Path:
        """Which code that is, and which Python and numpy it was begun with."""
        return self.directory / "identity.json"

    @property
    def session(self) -> Path:
        """What was asked of a scheduler, and what became of it; replaced as a whole."""
        return self.directory / "session.json"

    @property
    def broker(self) -> Path:
        """How to reach the broker, secrets included; gone after the session."""
        return self.directory / "broker.json"

    @property
    def lease(self) -> Path:
        """The session's epoch and a counter that the launcher keeps counting up."""
        return self.directory / "lease"

    @property
    def stop_request(self) -> Path:
        """Exists if somebody, perhaps elsewhere, wants the launcher to stop."""
        return self.directory / "stop"

    @property
    def job_script(self) -> Path:
        """What is given to the scheduler."""
        return self.directory / "job.sh"

    @property
    def launcher_script(self) -> Path:
        """What is given to the scheduler where the launcher is a job itself."""
        return self.directory / "launcher.sh"

    @property
    def waiting_launcher(self) -> Path:
        """Exists while such a launcher waits for its job to begin."""
        return self.directory / "launcher.json"

    @property
    def logs(self) -> Path:
        """What the jobs print, a file each."""
        return self.directory / "logs"

    @property
    def roll_calls(self) -> Path:
        """What each worker says of itself before it has reached the broker."""
        return self.directory / "workers"

    @property
    def launcher_log(self) -> Path:
        """What a detached launcher prints."""
        return self.directory / "launcher.log"

    def make(self) -> None:
        """Make the folders, for their owner alone.

        Raises
        ------
        UsageError
            The directory exists and is not empty, or can't be made.
        """
        try:
            make_folder(self.directory, 0o700)
            if any(self.directory.iterdir()):
                raise UsageError(
                    f"{self.directory} exists and is not empty; name another --out, "
                    f"or `trap-hpc resume {self.directory}` if it is a run"
                )
            self._take()
            for folder in (self.batches, self.measurements, self.logs, self.roll_calls):
                folder.mkdir(mode=0o700)
        except OSError as error:
            raise UsageError(cannot_write(self.directory, error)) from None

    def _take(self) -> None:
        """Make sure that the directory is ours: others may have left an empty one."""
        if who := owned_by(self.directory.lstat()) or owned_by(self.directory.stat()):
            raise UsageError(f"{self.directory}: {who}; name another --out")
        self.directory.chmod(0o700)
