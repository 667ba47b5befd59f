from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trap_hpc.config import Sourced, dump, environment, load
from trap_hpc.config.limits import CHOICES, LIMITS, NOT_OFFERED
from trap_hpc.config.parameters import JobParameters
from trap_hpc.config.sourced import DEFAULTS
from trap_hpc.errors import ParameterError

TRAP_FILE = """\
; what TraP writes
[persistence]
description = "night; one"   ; not a comment within quotes
rms_est_sigma = 3.5\t \n; the clipping

[source_extraction]  ; a section's comment
force_beam = False
detection_threshold = 6      # S/N
[pipeline]
mode = 'batch'
hosts = ',,,,,'
"""


def origin(sourced: Sourced, name: str) -> str:
    return dict(sourced.origins)[name]


def refusal(
    tmp_path: Path, text: str = "", suffix: str = ".toml", overrides: str = ""
) -> str:
    path = tmp_path / f"params{suffix}"
    path.write_text(text)
    with pytest.raises(ParameterError) as caught:
        load(path, overrides.split())
    return str(caught.value).replace(f"{path}", "FILE")


def test_without_a_file_all_are_traps_defaults() -> None:
    sourced = load(None)
    assert sourced.parameters == JobParameters()
    assert {where for _, where in sourced.origins} == {"default"}


def test_traps_own_file_is_read_with_its_comments(tmp_path: Path) -> None:
    path = tmp_path / "job_params.cfg"
    path.write_text(TRAP_FILE)
    sourced = load(path)
    assert sourced.parameters.persistence.description == "night; one"
    assert sourced.parameters.persistence.rms_est_sigma == 3.5
    assert sourced.parameters.source_extraction.force_beam is False
    assert sourced.parameters.source_extraction.detection_threshold == 6.0
    assert origin(sourced, "persistence.rms_est_sigma") == f"{path}, line 4"
    assert origin(sourced, "source_extraction.margin") == "default"


def test_toml_is_read_and_lines_are_known(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_text(
        "source_extraction.margin = 3\n\n[quality]\n# c\nelliptical_x = 3\n"
    )
    sourced = load(path)
    assert sourced.parameters.source_extraction.margin == 3
    assert sourced.parameters.quality.elliptical_x == 3.0
    assert origin(sourced, "quality.elliptical_x") == f"{path}, line 5"
    assert origin(sourced, "source_extraction.margin") == f"{path}, line 1"


def test_a_file_of_another_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.cfg"
    path.write_bytes(b"\xef\xbb\xbf[quality]\r\nrms_est_max = 1\r\n")
    assert load(path).parameters.quality.rms_est_max == 1.0


def test_settings_win_over_the_file_and_the_last_one_over_all(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_text("[source_extraction]\nmargin = 3\nforce_beam = true\n")
    sourced = load(path, ["margin=4", "source_extraction.margin=5", "force_beam=False"])
    assert sourced.parameters.source_extraction.margin == 5
    assert sourced.parameters.source_extraction.force_beam is False
    assert origin(sourced, "source_extraction.margin") == "--set"


def test_another_base_takes_the_place_of_the_defaults() -> None:
    base = load(None, ["margin=3", "expiration=5"]).parameters
    sourced = load(None, ["margin=4"], base=base, base_origin="config.csv")
    assert sourced.parameters.source_extraction.margin == 4
    assert sourced.parameters.source_extraction.expiration == 5
    assert origin(sourced, "source_extraction.expiration") == "config.csv"
    assert origin(sourced, "source_extraction.margin") == "--set"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("detection_treshold=5", "nearest known one is detection_threshold in [source"),
        ("quality.margin=3", "it belongs into [source_extraction]"),
        ("qualty.rms_est_max=1", "did you mean [quality]?"),
        ("nothing_like_it=1", "no parameter nothing_like_it"),
        ("detection_threshold=abc", "must be a number"),
        ("detection_threshold=nan", "must be a number"),
        (f"detection_threshold={'9' * 400}", "must be a number"),
        ("margin=2.5", "must be a whole number"),
        ("force_beam=3", "must be true or false"),
        ("detection_threshold=0", "must be above 0"),
        ("min_separation=181", "must be from 0 to 180"),
        ("elliptical_x=0.5", "must be at least 1"),
        ("forced_fit_centre=middle", "must be exact or trap"),
        ("pipeline.mode=stream", "streaming is not offered"),
        ("dataset_id=7", "appending to an existing data set is not offered"),
        ("analysis_threshold=9", "at most detection_threshold (8)"),
        ("rms_est_min=100", "below rms_est_max (100)"),
        ("detection_threshold", "--set detection_threshold=5"),
    ],
)
def test_a_wrong_setting_is_refused_in_clear_words(setting: str, words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        load(None, [setting])
    assert words in str(caught.value)
    assert "--set" in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (".toml", "[quality\n", "FILE is not valid TOML"),
        (".toml", "margin = \n", "line 1"),
        (".toml", "x = " + "[" * 5000, "FILE is not valid TOML"),
        (".toml", f"x = {'9' * 5000}", "FILE is not valid TOML"),
        (".toml", "\nmargim = 3\n", "FILE, line 2: there is no parameter margim"),
        (".toml", "[qualty]\n", "FILE, line 1: there is no section [qualty]"),
        (".toml", "[quality]\nrms_est_max = []\n", "must be a number"),
        (".cfg", "[quality]\nrms_est_max 3\n", "FILE, line 2: 'rms_est_max 3' is"),
        (".cfg", "[quality\n", "FILE, line 1: '[quality' is neither"),
        (".cfg", "[quality]\nrms_est_min=1\nrms_est_min=2", "already set in line 2"),
        (".cfg", "[quality]\nrms_est_max = big", "line 2: quality.rms_est_max = 'big'"),
        (".cfg", "[pipeline]\nmode = 'stream'", "line 2: pipeline.mode = 'stream': Tr"),
        (".cfg", "[logging]\ndebug = False\n", "there is no section [logging]"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, suffix: str, text: str, message: str
) -> None:
    assert message in refusal(tmp_path, text, suffix)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="No such file"):
        load(tmp_path / "missing.toml")
    (tmp_path / "image.fits").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="not a text file"):
        load(tmp_path / "image.fits")


@given(
    description=st.text(st.characters(exclude_categories=["Cs"])),
    threshold=st.floats(1e-5, 1e20),
    force_beam=st.booleans(),
)
def test_what_is_dumped_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    description: str,
    threshold: float,
    force_beam: bool,
) -> None:
    settings = [
        f"description={description!r}",
        f"detection_threshold={threshold!r}",
        f"analysis_threshold={threshold!r}",
        f"force_beam={force_beam}",
    ]
    sourced = load(None, settings)
    path = tmp_path_factory.mktemp("dump") / "parameters.toml"
    path.write_text(dump(sourced), encoding="utf-8")
    assert load(path).parameters == sourced.parameters


def test_origins_stand_beside_the_values() -> None:
    text = dump(load(None, ["margin=3"]))
    assert "margin = 3  # --set" in text
    assert "back_size_x = 50  # default" in text
    assert text.startswith("schema_version = 1\n")


def test_every_number_has_limits_that_its_default_keeps() -> None:
    for section, values in DEFAULTS.items():
        for name, value in values.items():
            full_name = f"{section}.{name}"
            if isinstance(value, bool | str) or full_name in NOT_OFFERED:
                continue
            assert LIMITS[full_name].allow(value), full_name  # type: ignore[arg-type]
    known = {f"{s}.{name}" for s, values in DEFAULTS.items() for name in values}
    assert LIMITS.keys() | CHOICES.keys() | NOT_OFFERED.keys() <= known


def test_names_are_unique_over_all_sections() -> None:
    names = [name for values in DEFAULTS.values() for name in values]
    assert len(names) == len(set(names))


def test_threads_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    surroundings = {"OMP_NUM_THREADS": "8"}
    monkeypatch.setattr("os.environ", surroundings)
    environment.cap_threads()
    assert surroundings["OMP_NUM_THREADS"] == "1"
    assert surroundings["HDF5_USE_FILE_LOCKING"] == "FALSE"


def test_the_state_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere/state")
    assert environment.state_folder() == Path("/somewhere/state/trap_hpc")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/of")
    assert environment.state_folder() == Path("/home/of/.local/state/trap_hpc")


def test_there_is_a_core() -> None:
    assert environment.cores() >= 1


def test_the_example_in_configs_has_all_parameters_with_their_defaults() -> None:
    example = Path(__file__).parent.parent / "configs" / "job_params.toml"
    loaded = load(example)
    assert loaded.parameters == JobParameters()
    assert all(origin != "default" for _, origin in loaded.origins)
