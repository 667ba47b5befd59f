"""Calling `trap-hpc` within a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from trap_hpc.cli.main import main


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
    """Calls commands and catches what they say."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: object) -> Said:
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        captured = self.capsys.readouterr()
        code = left.value.code
        assert isinstance(code, int)
        return Said(code, captured.out, captured.err)
