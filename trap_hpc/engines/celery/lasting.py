"""A line to the broker that is made again when it has broken."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from celery import Celery

from trap_hpc.engines.celery.line import Line, errors
from trap_hpc.errors import BrokerError

T = TypeVar("T")

PAUSES_S = (0.0, 0.2, 1.0, 2.0)
"""Before each try."""


class LastingLine:
    """For one thread at a time. Nothing is open before the first use."""

    def __init__(
        self,
        app: Celery,
        prepare: Callable[[Line], None] = lambda line: None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``prepare`` is called with each new line."""
        self._app = app
        self._prepare = prepare
        self._sleep = sleep
        self._errors = errors(app)
        self._line: Line | None = None

    @property
    def is_up(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._line is not None

    def use(self, do: Callable[[Line], T], pauses_s: Sequence[float] = PAUSES_S) -> T:
        """Do something over the line, again over a new one if that fails.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        error: BaseException | None = None
        for pause_s in pauses_s:
            if pause_s:  # sleeping for 0 s gives the processor away
                self._sleep(pause_s)
            try:
                return do(self._connected())
            except self._errors as reason:
                error = reason
                self.hang_up()
        raise BrokerError(self._gone(error))

    def hang_up(self) -> None:
        """Disconnect."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _connected(self) -> Line:
        if self._line is None:
            self._line = Line(self._app)
            self._prepare(self._line)
        return self._line

    def _gone(self, error: BaseException | None) -> str:
        where = self._app.connection_for_write(self._app.conf.broker_url).as_uri()
        return (
            f"the broker {where} does not answer: {error}; what was done is kept, "
            "`trap-hpc resume` the run"
        )
