"""Hearing the launcher's lease before there is anything else."""

from __future__ import annotations

import time
from types import TracebackType

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.ear import Ear
from trap_hpc.engines.celery.line import errors
from trap_hpc.engines.celery.messages import Lease
from trap_hpc.engines.lease import Beat


class Waiting:
    """Listens for beats, without a thread. A broker that is not there is no error."""

    def __init__(self, broker: Broker, address: str) -> None:
        self._broker = broker
        self._app = make_app(broker, address)
        self._errors = errors(self._app)
        self._ear: Ear | None = None

    def __enter__(self) -> Waiting:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        self._hang_up()

    def beats(self, timeout_s: float) -> list[Beat]:
        """Return the beats that come within ``timeout_s`` seconds."""
        try:
            if self._ear is None:
                self._ear = Ear(self._app, self._broker)
            heard = self._ear.hear(timeout_s)
            return [each.beat for each in heard if isinstance(each, Lease)]
        except self._errors:
            self._hang_up()
            time.sleep(timeout_s)
            return []

    def _hang_up(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()
