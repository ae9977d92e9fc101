"""`cshub evaluate`: one line of JSON and nothing else, defaults that do not hang on the folder, errors that name columns."""

import importlib
import sys
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import orjson
import pytest
from click.testing import CliRunner

from hub.cli import main

KEYS = {
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "ece15",
    "lift_10",
    "n",
    "positives",
    "gate",
    "why",
    "seconds",
    "intervals",
}


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def flat_file(path: Path) -> Path:
    random = np.random.default_rng(0)
    x = random.normal(size=300)
    left = random.random(300) < 1 / (1 + np.exp(1 - 2 * x))
    rows = [f"c{i};{x[i]:.4f};{1 - int(left[i])};{'gone' if left[i] else 'here'}" for i in range(300)]
    file = path / "book.csv"
    file.write_text("\n".join(["id;x;stays;status", *rows]))
    return file


def events_folder(path: Path) -> Path:
    random = np.random.default_rng(0)
    lines = ["who,at,what"]
    for who in range(800):
        rate, day = random.gamma(2, 0.05), 0.0
        for _ in range(60):
            day += random.exponential(1 / rate)
            if day < 360:
                lines.append(f"{who},{date(2023, 1, 1) + timedelta(days=int(day))},buy")
    (path / "log.csv").write_text("\n".join(lines))
    return path


def test_flat_prints_one_line(tmp_path: Path) -> None:
    file = flat_file(tmp_path)
    code, out, err = run("flat", file, "--target", "status", "--positive", "gone", "--drop", "stays", "--sep", ";")
    assert (code, err, out.count("\n")) == (0, "", 1)
    line = orjson.loads(out)
    assert line.keys() >= KEYS
    assert (line["data"], line["n"], line["gate"], line["learner"]) == ("book.csv", 300, "open", "tiny")
    assert line["features"] == 1
    assert 0.7 < line["roc_auc"] < 0.95


def test_plots_are_files_and_stdout_stays_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "plots"
    code, out, err = run(
        "flat", flat_file(tmp_path), "--target", "status", "--positive", "gone", "--sep", ";", "--plots", folder
    )
    assert code == 0
    assert len(out.splitlines()) == 1
    assert orjson.loads(out).keys() >= KEYS
    assert sorted(path.name for path in folder.iterdir()) == ["book-calibration.svg", "book-lift.svg"]
    assert err.count("wrote ") == 2
    for path in folder.iterdir():
        text = path.read_text()
        assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
        assert "Who left, book.csv" in text


def test_plots_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    file = flat_file(tmp_path)
    code, out, err = run("flat", file, "--target", "status", "--positive", "gone", "--sep", ";", "--plots", file)
    assert (code, out) != (0, "")
    assert "plots can't be written to" in err


def test_flat_says_what_there_is(tmp_path: Path) -> None:
    file = flat_file(tmp_path)
    assert run("flat", file, "--target", "status") == (
        1,
        "",
        "book.csv has one column, 'id;x;stays;status'; name what parts its columns with --sep\n",
    )
    code, out, err = run("flat", file, "--target", "churn", "--sep", ";")
    assert (code, out, err) == (1, "", "book.csv has no column 'churn'; it has: id, x, stays, status\n")
    code, _, err = run("flat", file, "--target", "x", "--sep", ";;")
    assert code == 2
    assert "is not one character" in err


def test_events_prints_one_line(tmp_path: Path) -> None:
    folder = events_folder(tmp_path)
    named = ("--events-file", "log.csv", "--customer", "who", "--time", "at", "--event", "what")
    dates = ("--horizon", "60", "--train-until", "2023-06-30", "--test-from", "2023-09-01")
    code, out, err = run("events", folder, *dates, *named)
    assert (code, err, out.count("\n")) == (0, "", 1)
    line = orjson.loads(out)
    assert line.keys() >= KEYS | {"trained_on", "train_days", "test_days"}
    assert line["train_days"] == ["2023-02-01", "2023-06-01"]
    assert line["test_days"] == ["2023-09-01", "2023-10-01"]
    assert line["gate"] == "open"
    code, out, err = run("events", folder, *dates, *named[:4])
    assert (code, out) == (1, "")
    assert "--time. It has: who, at, what" in err


def test_parquet_without_its_reader_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    (tmp_path / "events.parquet").write_bytes(b"PAR1")
    code, out, err = run("events", tmp_path, "--train-until", "2023-06-30", "--test-from", "2023-09-01")
    assert (code, out) == (1, "")
    assert "pip install 'cshub[parquet]'" in err


def test_parquet_and_csv_say_the_same(tmp_path: Path) -> None:
    polars = importlib.import_module("polars")
    folder = events_folder(tmp_path)
    frame = polars.read_csv(folder / "log.csv", try_parse_dates=True)
    options = ("--horizon", "60", "--train-until", "2023-06-30", "--test-from", "2023-09-01", "--customer", "who")
    options += ("--time", "at", "--event", "what", "--events-file")
    first = orjson.loads(run("events", folder, *options, "log.csv")[1])
    frame.write_parquet(folder / "log.parquet")
    second = orjson.loads(run("events", folder, *options, "log.parquet")[1])
    assert {**first, "seconds": 0} == {**second, "seconds": 0}
    (folder / "log.parquet").write_bytes(b"PAR1 and no more")
    code, _, err = run("events", folder, *options, "log.parquet")
    assert code == 1
    assert "cannot be read as Parquet" in err
