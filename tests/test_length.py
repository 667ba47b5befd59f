from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.source import ROOT

LONGEST_FILE = 250
LONGEST_FUNCTION = 50


def python_files() -> list[Path]:
    """All of ours; hidden folders hold environments."""
    folders = ("trap_hpc", "tests", "benchmarks")
    paths = [path for name in folders for path in sorted((ROOT / name).rglob("*.py"))]
    return [p for p in paths if "/." not in str(p.relative_to(ROOT))]


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > LONGEST_FUNCTION:
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            yield f"{where}: {node.name} has {length} lines, {LONGEST_FUNCTION} at most"


def test_files_are_short_enough_to_read() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in python_files()}
    long = [
        f"{path.relative_to(ROOT)} has {length} lines, {LONGEST_FILE} at most"
        for path, length in lengths.items()
        if length > LONGEST_FILE
    ]
    assert not long, "\n" + "\n".join(long)


def test_functions_are_short_enough_to_read() -> None:
    long = [line for path in python_files() for line in long_functions(path)]
    assert not long, "\n" + "\n".join(long)
