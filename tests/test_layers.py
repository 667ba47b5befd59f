"""Who may import whom, and what each part may touch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.source import Module, modules, uses

LAYERS = (
    ("cli",),
    ("doctor", "simulate"),
    ("run",),
    ("worker",),
    ("engines", "schedulers"),
    ("catalogue", "pipeline"),
    ("alive",),
    ("config", "identity", "network", "shell"),
    ("paths",),
    ("files", "jsonrecords", "plaintext", "trust"),
    ("errors",),
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

ACROSS = {
    ("catalogue", "trap_hpc.pipeline.records"),  # what its rows are
    ("catalogue", "trap_hpc.pipeline.quality"),  # REASONS, TraP's table rejectreason
    ("catalogue", "trap_hpc.pipeline.lightcurves"),  # TraP's table varmetric
    ("catalogue", "trap_hpc.pipeline.steadyfile"),  # HDF5 on a full disk
    ("identity", "trap_hpc.config.resources"),  # what a snapshot holds besides code
}
"""The only imports within a layer. The pipeline never imports the catalogue."""

ONLY_IN = {
    "subprocess": ("shell.py",),
    "os.system": ("shell.py",),
    "os.popen": ("shell.py",),
    "multiprocessing": ("engines/",),
    "celery": ("engines/celery/",),
    "kombu": ("engines/celery/",),
    "billiard": ("engines/celery/",),
    "redis": ("engines/redis_server/",),
    "trustme": ("engines/redis_server/",),
    "dask": (),
    "dask_jobqueue": (),
    "distributed": (),
    "sqlalchemy": ("catalogue/",),
    "psycopg": ("catalogue/",),
    "sqlite3": ("catalogue/", "run/ledger_file.py"),
    "astropy.io.fits": ("pipeline/images/",),
    "casacore": ("pipeline/images/",),
    "h5py": ("pipeline/images/", "pipeline/measurements.py", "catalogue/"),
    "os.environ": ("config/", "worker/"),
    "os.getenv": ("config/", "worker/"),
    "os.putenv": ("config/", "worker/"),
    "signal": (
        "__main__.py",  # nobody can answer Ctrl-C yet
        "engines/processes.py",  # Ctrl-C must not reach what is being forked
        "engines/redis_server/guard.py",  # a process of its own
        "run/session/",
        "shell.py",  # sends them, to commands that hang
        "worker/",
    ),
    "print": ("cli/",),
    "click": ("cli/",),
    "click.echo": ("cli/output.py",),  # nothing that moves a terminal
    "rich": ("cli/",),
    "sys.stdout": ("cli/",),
    "sys.stderr": ("cli/",),
    "pickle": (),
}
"""What may be used where, and nowhere else. Folders end in a slash."""

BLAS = (
    "numpy.dot",
    "numpy.einsum",
    "numpy.inner",
    "numpy.linalg",
    "numpy.matmul",
    "numpy.tensordot",
    "numpy.vdot",
    "scipy.linalg",
    "@ (matrix product)",
)
"""Their bits depend on the processor and on the library that happens to be there."""


def part_of(name: str) -> str:
    """``run`` of ``trap_hpc.run.plan``; empty for the package itself."""
    part = (name.split(".") + [""])[1]
    return "cli" if part == "__main__" else part


def own_imports(module: Module) -> Iterator[tuple[str, int]]:
    """Modules of ours that ``module`` imports, and where."""
    known = {other.name for other in modules()}
    for use in module.uses:
        if not use.imported or not use.name.startswith("trap_hpc."):
            continue
        name = use.name
        while name not in known:
            name = name.rpartition(".")[0]
        yield name, use.line


def breaches_of_layers(module: Module) -> Iterator[str]:
    importer = part_of(module.name)
    for name, line in own_imports(module):
        imported = part_of(name)
        if not importer or not imported or imported == importer:
            continue
        if (importer, name) in ACROSS or RANK[imported] > RANK[importer]:
            continue
        yield (
            f"{module.path}:{line}: {importer} imports {name}, but imports go "
            f"downward only: {' > '.join(', '.join(parts) for parts in LAYERS)}"
        )


def reached(name: str, used: str) -> bool:
    return used == name or used.startswith(f"{name}.")


def breaches_of_table(module: Module) -> Iterator[str]:
    path = module.path.removeprefix("trap_hpc/")
    for name, places in ONLY_IN.items():
        if path.startswith(places):
            continue
        for line in sorted({u.line for u in module.uses if reached(name, u.name)}):
            allowed = ", ".join(places) or "nothing in this package"
            yield f"{module.path}:{line}: {name} may be used by {allowed} alone"


def breaches_of_bits(module: Module) -> Iterator[str]:
    if not module.path.startswith("trap_hpc/pipeline/"):
        return
    for use in module.uses:
        if any(reached(name, use.name) for name in BLAS):
            yield (
                f"{module.path}:{use.line}: {use.name} goes through BLAS, whose bits "
                "differ between machines; write the sum out"
            )


def test_every_part_has_a_layer() -> None:
    parts = {part_of(module.name) for module in modules()} - {""}
    assert parts <= RANK.keys(), f"give {parts - RANK.keys()} a place in LAYERS"


@pytest.mark.parametrize(
    "breaches",
    [breaches_of_layers, breaches_of_table, breaches_of_bits],
    ids=["layers", "table", "bits"],
)
def test_nobody_reaches_where_they_may_not(breaches: object) -> None:
    assert callable(breaches)
    found = [breach for module in modules() for breach in breaches(module)]
    assert not found, "\n" + "\n".join(sorted(set(found)))


def test_imports_have_no_cycle() -> None:
    graph = {
        module.name: {name for name, _ in own_imports(module)} - {module.name}
        for module in modules()
        if module.name != "trap_hpc"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("these import each other: " + " < ".join(error.args[1]))


def module_of(path: str, text: str) -> Module:
    tree = ast.parse(text)
    name = path.removesuffix(".py").replace("/", ".")
    return Module(path, name, tree, tuple(uses(tree)))


@pytest.mark.parametrize(
    ("path", "text", "breach"),
    [
        ("run/plan.py", "from trap_hpc.cli import main", "run imports trap_hpc.cli"),
        ("pipeline/a.py", "import trap_hpc.catalogue.store", "pipeline imports trap"),
        ("catalogue/a.py", "from trap_hpc.pipeline import tasks", "catalogue imports"),
        ("config/a.py", "from trap_hpc.identity import identity", "config imports"),
        (
            "run/plan.py",
            "import subprocess",
            "subprocess may be used by shell.py alone",
        ),
        ("run/plan.py", "import os\nx = os.environ['HOME']", "os.environ may be used"),
        ("run/plan.py", "from os import environ as e\nprint(e)", "os.environ may be"),
        ("pipeline/a.py", "from astropy.io import fits as f", "astropy.io.fits may be"),
        ("run/a.py", "import h5py as h\nh.File('x')", "h5py may be used by pipeline/"),
        ("pipeline/a.py", "import numpy\nnumpy.linalg.inv(x)", "numpy.linalg.inv go"),
        ("run/a.py", "import os.path\nos.environ", "os.environ may be used"),
        ("run/a.py", "print('x')", "print may be used by cli/ alone"),
        ("run/a.py", "import signal", "signal may be used by __main__.py, engines/"),
        (
            "pipeline/a.py",
            "import numpy as np\nnp.linalg.inv(x)",
            "numpy.linalg.inv go",
        ),
        ("pipeline/a.py", "from numpy import dot", "numpy.dot goes through BLAS"),
        ("pipeline/a.py", "c = a @ b", "@ (matrix product) goes through BLAS"),
    ],
)
def test_a_breach_is_found(path: str, text: str, breach: str) -> None:
    module = module_of(f"trap_hpc/{path}", text)
    checks = (breaches_of_layers, breaches_of_table, breaches_of_bits)
    found = "\n".join(line for check in checks for line in check(module))
    assert breach in found


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("catalogue/a.py", "from trap_hpc.pipeline.records import Rows"),
        ("cli/a.py", "from trap_hpc.errors import UsageError\nprint('x')"),
        ("run/ledger_file.py", "import sqlite3"),
        ("config/a.py", "import os\nos.environ"),
        ("pipeline/images/a.py", "from astropy.io import fits\nimport h5py"),
        ("pipeline/a.py", "import numpy as np\nnp.sum(a * b)"),
        ("pipeline/a.py", "signal = 3\nx = signal.real"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, text: str) -> None:
    module = module_of(f"trap_hpc/{path}", text)
    checks = (breaches_of_layers, breaches_of_table, breaches_of_bits)
    assert not [line for check in checks for line in check(module)]
