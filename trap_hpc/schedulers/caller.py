"""Calls to a scheduler's programs: time-outs, and patience while it can't be reached.

Controllers are restarted, and do not answer for a minute, as a matter of routine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trap_hpc.errors import CommandError, SchedulerError, TimedOutError
from trap_hpc.shell import Answer, run

ASK_S = 10.0
"""How long a question is asked again and again: whoever asks will come back."""
ACT_S = 90.0
"""How long a submission is tried: nobody comes back with it."""
ASK_TIMEOUT_S = 30.0
"""A question that got no answer for so long is asked again, or later."""
LONGEST_PAUSE_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Runs programs of a scheduler."""

    unreachable: Callable[[str], bool]
    """Whether a failure says that the scheduler was not reached."""
    environment: Callable[[], Mapping[str, str]]
    timeout_s: float
    """Of a submission."""
    clock: Callable[[], float]
    sleep: Callable[[float], None]

    def ask(self, argv: Sequence[str]) -> Answer:
        """Run ``argv``, which may be run twice, until the scheduler has answered.

        The answer may be a refusal. Raises SchedulerError if there is none.
        """
        problem = ""
        timeout_s = min(self.timeout_s, ASK_TIMEOUT_S)
        for _ in self.tries(ASK_S):
            answer, problem = self.once(argv, timeout_s=timeout_s)
            if answer is not None:
                return answer
        raise SchedulerError(
            f"the scheduler can't be asked: {problem}; try again later"
        )

    def once(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> tuple[Answer | None, str]:
        """Run ``argv``: its answer, or why what became of it is not known.

        Raises
        ------
        SchedulerError
            The program is not there.
        """
        try:
            answer = run(
                argv,
                timeout_s=timeout_s or self.timeout_s,
                environment=self.environment() if environment is None else environment,
            )
        except TimedOutError as error:
            return None, str(error)
        except CommandError as error:
            raise SchedulerError(
                f"{error}; start it on a host from which jobs are submitted, or name "
                "another site with --site"
            ) from None
        if not answer.good and self.unreachable(answer.err + answer.out):
            return None, str(answer)
        return answer, ""

    def tries(self, patience_s: float) -> Iterator[int]:
        """Count tries, with growing pauses between them, until patience is at its end.

        The pauses: 1, 2, 4, 8, 15, 15, ... seconds.
        """
        began = self.clock()
        pause_s = 1.0
        number = 0
        while True:
            yield number
            number += 1
            if self.clock() - began + pause_s > patience_s:
                return
            self.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
