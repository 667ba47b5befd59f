"""Signals end a session once, and do not disturb its end."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from trap_hpc.run.session.signals import (
    AGAIN_AFTER_S,
    ENDING,
    PATIENCE,
    Interrupts,
    interrupts,
)


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_rises_with_its_name(number: signal.Signals) -> None:
    with (
        interrupts(lambda _: None),
        pytest.raises(KeyboardInterrupt, match=number.name),
    ):
        os.kill(os.getpid(), number)


def test_further_signals_are_only_words_while_jobs_are_ended() -> None:
    said: list[str] = []
    with interrupts(said.append) as heard:
        heard.hold()
        for number in ENDING:
            os.kill(os.getpid(), number)
    assert said == [PATIENCE] * 3


def test_a_second_signal_does_not_rise_a_moment_later() -> None:
    said: list[str] = []
    with interrupts(said.append):
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert said == [PATIENCE]


def test_a_signal_that_was_swallowed_rises_again_later() -> None:
    now = [0.0]
    heard = Interrupts(lambda _: None, clock=lambda: now[0])
    with pytest.raises(KeyboardInterrupt):
        heard.hear(signal.SIGINT)
    now[0] = AGAIN_AFTER_S
    with pytest.raises(KeyboardInterrupt):
        heard.hear(signal.SIGINT)


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with interrupts(lambda _: None):
        assert [signal.getsignal(number) for number in ENDING] != before
    assert [signal.getsignal(number) for number in ENDING] == before


def test_what_is_ignored_stays_ignored() -> None:
    """As `nohup` asks for."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts(lambda _: None):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_have_no_signals() -> None:
    entered = []

    def work() -> None:
        with interrupts(lambda _: None):
            entered.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [before]
