"""The snapshot holds all of the code, and starts as fast as what is installed."""

from __future__ import annotations

import zipfile
import zipimport
from pathlib import Path
from types import CodeType

import pytest

from tests.installations import checkout, installed, python, said_by, snapshot
from trap_hpc import __version__
from trap_hpc.errors import RunError, StorageError
from trap_hpc.files import checksum
from trap_hpc.identity import require_snapshot, running_from, write_snapshot


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def code(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "code.zip"
    snapshot(tree, path)
    return path


def test_the_program_runs_from_its_snapshot(code: Path) -> None:
    done = python(code, "-m", "trap_hpc", "--version")
    assert __version__ in done.stdout
    where = said_by(code, "import trap_hpc; print(trap_hpc.__file__)")
    assert where == str(code / "trap_hpc" / "__init__.pyc")


def test_a_process_knows_that_it_runs_from_a_snapshot(
    tree: Path, code: Path, tmp_path: Path
) -> None:
    asked = "from trap_hpc.identity import running_from; from pathlib import Path; "
    asked += f"print(running_from(Path({str(code)!r})))"
    assert said_by(code, asked) == "True"
    assert said_by(tree, asked) == "False"
    assert not running_from(code)
    (tmp_path / "code.zip").write_bytes(code.read_bytes())
    assert said_by(tmp_path / "code.zip", asked) == "False"


def test_every_module_comes_with_its_bytecode_and_nothing_is_compiled(
    tree: Path, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(path: str, source: bytes) -> CodeType:
        raise AssertionError(f"{path} was compiled")

    monkeypatch.setattr(zipimport, "_compile_source", compiled)
    files = [path.relative_to(tree) for path in (tree / "trap_hpc").rglob("*.py")]
    assert len(files) > 100
    for file in files:
        module = file.parent if file.name == "__init__.py" else file.with_suffix("")
        found = zipimport.zipimporter(str(code / module.parent)).get_code(module.name)
        assert found.co_filename == f"code.zip/{file.as_posix()}"


def test_profiles_and_job_scripts_lie_where_a_wheel_has_them(
    tree: Path, code: Path
) -> None:
    expected = {
        f"trap_hpc/data/{path.relative_to(tree).as_posix()}": path.read_bytes()
        for folder in ("configs", "slurm")
        for path in (tree / folder).rglob("*")
        if path.is_file()
    }
    with zipfile.ZipFile(code) as zipped:
        found = {n: zipped.read(n) for n in zipped.namelist() if "/data/" in n}
    assert found == expected
    assert "trap_hpc/data/configs/job_params.toml" in found


def test_the_same_code_gives_the_same_snapshot_to_the_byte(
    tree: Path, code: Path, tmp_path: Path
) -> None:
    """Wherever it lies, and whatever else the process has in memory."""
    wheel = installed(tree, tmp_path / "wheel")
    (wheel / "sitecustomize.py").write_text("import numpy.ma, json, email")
    made, again = tmp_path / "code.zip", tmp_path / "again.zip"
    assert snapshot(wheel, made) == checksum(code.read_bytes())
    assert snapshot(made, again) == checksum(code.read_bytes())


def test_one_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "code.zip"
    expected = write_snapshot(path)
    require_snapshot(path, expected)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match="not the code that the run was begun with"):
        require_snapshot(path, expected)
    path.unlink()
    with pytest.raises(RunError, match="can't be read: No such file"):
        require_snapshot(path, expected)


def test_a_snapshot_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"code\.zip"):
        write_snapshot(tmp_path / "missing" / "code.zip")
