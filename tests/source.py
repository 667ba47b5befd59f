"""The package's own source, for tests that look at how it is written."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Use:
    """A dotted name that a module imports or reaches: ``astropy.io.fits``."""

    name: str
    line: int
    imported: bool
    """False for an attribute or a call."""


@dataclass(frozen=True, slots=True)
class Module:
    path: str
    """``trap_hpc/run/plan.py``."""
    name: str
    """``trap_hpc.run.plan``; a package's is that of its folder."""
    tree: ast.Module
    uses: tuple[Use, ...]


@cache
def modules() -> tuple[Module, ...]:
    """All modules of the package."""
    return tuple(map(_module, sorted((ROOT / "trap_hpc").rglob("*.py"))))


def _module(path: Path) -> Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    relative = path.relative_to(ROOT)
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    return Module(str(relative), name, tree, tuple(uses(tree)))


def uses(tree: ast.Module) -> Iterator[Use]:
    """All dotted names that a module uses, aliases resolved; not its own variables."""
    aliases = {name: name for name in dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for full, bound, meaning in _imports(node):
                aliases[bound] = meaning
                yield Use(full, node.lineno, True)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            head, _, rest = _dotted(node).partition(".")
            if head in aliases:
                full = ".".join(filter(None, (aliases[head], rest)))
                yield Use(full, node.lineno, False)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield Use("@ (matrix product)", node.lineno, False)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str]]:
    """What is imported, the name that it binds, and what this name stands for."""
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        full = f"{prefix}{alias.name}"
        if alias.asname or prefix:
            yield full, alias.asname or alias.name, full
        else:  # import a.b binds a
            head = full.partition(".")[0]
            yield full, head, head


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` of such an expression; an empty string for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else ""
    return ""
