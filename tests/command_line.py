"""Calling `trap-hpc` within a test."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from trap_hpc.cli.main import main
from trap_hpc.run import planfile
from trap_hpc.run.session import ctrl_c


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Calls commands and catches what they say.

    A command that goes on as another program, from a run's own code, goes on in this
    process instead.
    """

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: object) -> Said:
        self.capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ctrl_c, "become", _become)
            with pytest.raises(SystemExit) as left:
                main([str(word) for word in words])
        captured = self.capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return Said(code, captured.out, captured.err)


def _become(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    assert list(argv[1:4]) == ["-P", "-m", "trap_hpc"]
    assert environment["PYTHONPATH"].split(":")[0].endswith("/code.zip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planfile, "running_from", lambda path: True)
        main(argv[4:])
