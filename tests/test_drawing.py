"""Plots: the same bytes for the same numbers, nothing to run or to fetch, and the numbers in the drawing."""

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from hub.drawing import Bar, CalibrationPoint, Curve, bars, calibration, gains, lift, precision_recall

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [CalibrationPoint(0.22, 0.27, 0.2, 0.36, 80), CalibrationPoint(0.02, 0.03, 0.01, 0.05, 400)]
CURVES = [Curve("tried", [(0, 0), (0.1, 0.4), (1, 1)]), Curve("live", [(0, 0), (0.1, 0.2), (1, 1)])]
GROUPS = [Bar("critical", 0.2, 0.15, 0.27, 80), Bar("healthy", None)]
PLOTS: dict[str, Callable[[], str]] = {
    "calibration": lambda: calibration(POINTS, title="Kept <promises> & others"),
    "gains": lambda: gains(CURVES, title="Gains"),
    "lift": lambda: lift([Curve("tried", [(0.1, 4), (1, 1)])], title="Lift"),
    "precision and recall": lambda: precision_recall(CURVES, base_rate=0.05, title="Found"),
    "bars": lambda: bars(
        GROUPS, beside=GROUPS, names=("tried", "live"), title="Bands", x="band", y="left", reference=("all", 0.05)
    ),
    "nothing": lambda: calibration([], title="Nothing yet"),
    "no bars": lambda: bars([], title="Nothing yet", x="band", y="left"),
}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_plots_are_the_same_bytes_each_time_and_fetch_nothing(plot: Callable[[], str]) -> None:
    text = plot()
    assert plot() == text
    assert set(re.findall(r"\w+://[^\"\s<]*", text)) == {"http://www.w3.org/2000/svg"}  # the name of the language
    assert not re.search(r"script|href|@import|url\(|@font-face|<!--|<\?|\son\w+=", text)
    assert "2026" not in text, "the day of drawing is no part of it"
    root = ElementTree.fromstring(text)
    assert root.tag == SVG + "svg"
    assert root.get("viewBox") == "0 0 800 560"


def test_two_plots_in_one_page_do_not_share_their_styles() -> None:
    ids = [ElementTree.fromstring(plot()).get("id") for plot in PLOTS.values()]
    assert len(set(ids)) == len(ids)


def _texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter(SVG + "text")]


def _titles(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter(SVG + "title")]


def test_a_calibration_names_its_axes_and_each_point_with_its_interval() -> None:
    svg = PLOTS["calibration"]()
    assert {"Kept <promises> & others", "predicted", "observed share that left", "as predicted"} <= set(_texts(svg))
    assert "predicted 2.0%, observed 3.0% (1.0% to 5.0%), 400 rows" in _titles(svg)


def test_an_interval_stands_between_its_two_ends() -> None:
    """The plane goes from 0 to 0.5; heights are read back from the drawing."""
    root = ElementTree.fromstring(PLOTS["calibration"]())
    lines: dict[str, list[list[tuple[float, ...]]]] = {}
    for series in root.iter(SVG + "g"):
        for path in series.findall(SVG + "path") if "series" in (series.get("class") or "") else []:
            points = re.findall(r"[\d.]+ [\d.]+", path.get("d") or "")
            lines.setdefault(series.get("class") or "", []).append([tuple(map(float, p.split())) for p in points])
    ends = lines["series serie-1 color-1"]
    (diagonal,) = lines["series serie-2 color-2"]
    (left, bottom), (right, top) = diagonal

    def back(x: float, y: float) -> tuple[float, float]:
        return (x - left) / (right - left) * 0.5, (bottom - y) / (bottom - top) * 0.5

    found = [[back(x, y) for x, y in line] for line in ends]
    assert found[0] == [pytest.approx((0.02, 0.01), abs=1e-6), pytest.approx((0.02, 0.05), abs=1e-6)]
    assert found[1] == [pytest.approx((0.22, 0.2), abs=1e-6), pytest.approx((0.22, 0.36), abs=1e-6)]


def test_bars_leave_a_gap_where_there_is_nothing_to_tell() -> None:
    titles = _titles(PLOTS["bars"]())
    assert titles.count("critical: 20% (15% to 27%), 80 rows") == 2
    assert not any(title.startswith("healthy:") for title in titles)
    assert "all: 5%" in _texts(PLOTS["bars"]())


def test_series_are_told_apart_without_colour() -> None:
    css = ElementTree.fromstring(PLOTS["gains"]()).find(f".//{SVG}style")
    assert css is not None
    assert re.findall(r"serie-(\d){[^}]*stroke-dasharray:([\d,]+)", css.text or "") == [("1", "8,4"), ("2", "3,4")]
