"""What a person sees while a run goes on, and at its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trap_hpc.cli import watch
from trap_hpc.cli.summary import LIMITS, grouped, summary_lines, summary_record
from trap_hpc.config.sourced import DEFAULTS
from trap_hpc.pipeline.records import Refusal
from trap_hpc.run.progress import Progress, Summary


def progress(
    elapsed_s: float, phase: str = "measuring", measured: int = 40
) -> Progress:
    return Progress(
        phase=phase,
        images=100,
        scanned=100,
        measured=measured,
        associated=10,
        refused=2,
        elapsed_s=elapsed_s,
        rate_per_s=measured / max(elapsed_s, 1),
        left_s=65.0,
    )


def summary(**changes: object) -> Summary:
    facts: dict[str, object] = {
        "run_id": "trap-abcdefgh",
        "directory": Path("runs/trap-abcdefgh"),
        "images": 10,
        "associated": 7,
        "rejections": (),
        "refusals": (),
        "sources": 65,
        "candidates": 3,
        "likely": 2,
        "elapsed_s": 12.0,
    }
    return Summary(**(facts | changes))  # type: ignore[arg-type]


def test_lines_come_ever_more_rarely(capsys: pytest.CaptureFixture[str]) -> None:
    with watch.watching(quiet=False) as tell:
        for second in range(3600):
            tell(progress(float(second)))
    lines = capsys.readouterr().err.splitlines()
    assert 10 < len(lines) < 30
    assert "40 of 100 images, 2 refused" in lines[0]
    assert lines[1].split()[:2] == ["5", "s"]


def test_a_new_phase_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with watch.watching(quiet=False) as tell:
        tell(progress(0.1, "scanning"))
        tell(progress(0.2, "measuring"))
        tell(progress(0.3, "measuring"))
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[2] for line in lines] == ["scanning:", "measuring:"]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with watch.watching(quiet=True) as tell:
        tell(progress(100.0))
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_terminal_has_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    with watch.watching(quiet=False) as tell:
        tell(progress(0.0, "scanning", measured=0))
        tell(progress(10.0))
    shown = capsys.readouterr().err
    assert "measuring" in shown
    assert "40 of 100 images, 2 refused, 4 images/s, 1:05 left" in shown


def test_a_terminal_with_nothing_to_tell_stays_clean(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with watch.watching(quiet=False):
        pass
    assert "starting" not in capsys.readouterr().err


def test_large_rates_are_whole_numbers() -> None:
    assert "1235 images/s" in watch.counts(replace(progress(1.0), rate_per_s=1234.6))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (59.0, "59 s"), (125.0, "2:05"), (3725.0, "1:02:05")],
)
def test_times_are_as_people_say_them(seconds: float, text: str) -> None:
    assert watch.time_text(seconds) == text


def test_a_good_run_says_where_things_are_and_what_is_next() -> None:
    text = "\n".join(summary_lines(summary()))
    assert "7 of 10 images are in the catalogue, after 12 s" in text
    assert "candidates    3 (2 of type 1: likely transients)" in text
    assert "runs/trap-abcdefgh/catalogue.sqlite" in text
    assert "trap-hpc candidates trap-abcdefgh" in text
    assert "retry-refused" not in text


def test_reasons_that_differ_in_numbers_are_said_once() -> None:
    rejections = tuple(
        (f"t{n}.fits", f"noise of {n}.5 Jy is too much") for n in range(5)
    )
    refusals = (
        Refusal(address="a.fits", kind="unreadable", reason="the file is cut short"),
        Refusal(address="b.fits", kind="note", reason="same time as c.fits"),
    )
    found = summary(rejections=rejections, refusals=refusals)
    lines = list(summary_lines(found))
    assert "  rejected      5 by quality checks" in lines
    assert "    5 x noise of 0.5 Jy is too much" in lines
    assert "        t0.fits, t1.fits, t2.fits and 2 more" in lines
    assert "    1 x the file is cut short" in lines
    assert any("--retry-refused" in line for line in lines)
    assert summary_record(found)["exit_code"] == 3


def test_a_thousand_kinds_of_reasons_stay_readable() -> None:
    refusals = tuple(
        Refusal(address=f"{n}.fits", kind="failed", reason="x" * n) for n in range(1000)
    )
    lines = list(summary_lines(summary(refusals=refusals)))
    assert len(lines) < 40
    more = "    and 992 more kinds of reasons: trap-hpc export trap-abcdefgh lists them"
    assert more in lines


def test_a_check_is_said_with_its_parameter() -> None:
    reason = "beam invalid: Beam too elliptical. bmaj=5.42 and bmin=2.47 (pixels)"
    found = summary(rejections=(("a.fits", reason),))
    assert "        limits: elliptical_x" in list(summary_lines(found))


def test_parameters_that_are_named_exist() -> None:
    named = {name for names in LIMITS.values() for name in names.split(", ")}
    assert named <= {name for section in DEFAULTS.values() for name in section}


def test_images_are_named_as_seen_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    reason = f"same content as {tmp_path}/night/a.fits, which is used"
    assert list(grouped([(f"{tmp_path}/night/b.fits", reason)])) == [
        "    1 x same content as night/a.fits, which is used",
        "        night/b.fits",
    ]


def test_the_record_has_every_reason() -> None:
    record = summary_record(summary(rejections=(("a.fits", "flat"),)))
    assert record["rejections"] == [{"address": "a.fits", "reason": "flat"}]
    assert record["directory"] == "runs/trap-abcdefgh"


def test_sentences_stand_above_the_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    with watch.watching(quiet=False) as tell:
        tell(progress(10.0))
        tell.say("3 jobs submitted: 12_[0-2] [bold]")
    shown = capsys.readouterr().err
    assert "3 jobs submitted: 12_[0-2] [bold]\n" in shown
    assert shown.rindex("measuring") > shown.index("3 jobs submitted")


@pytest.mark.parametrize(("quiet", "said"), [(True, ""), (False, "0 jobs left\n")])
def test_sentences_are_lines_where_there_is_no_bar(
    capsys: pytest.CaptureFixture[str], quiet: bool, said: str
) -> None:
    with watch.watching(quiet=quiet) as tell:
        tell.say("0 jobs left")
    assert capsys.readouterr().err == said
