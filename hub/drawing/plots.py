"""Plots as SVG text from plain numbers: how well predictions are calibrated, whom a ranking finds, rates of groups.

    Path("calibration.svg").write_text(calibration(points, title="Churn within 90 days"))

A plot is one self-contained text: no script, no font or style sheet or address to fetch, so it may be mailed, kept beside
a model and put into a page. The same numbers give the same bytes. Series differ in colour (the palette of Okabe and Ito,
told apart by the colour-blind) and in dashes; what a point means stands in its title, which browsers show on hovering.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from xml.etree import ElementTree  # only writes what pygal has made; nothing is parsed

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("none", "8,4", "2,3", "10,3,2,3", "14,4", "4,4")
REFERENCE = "#767676"
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """A group of rows: the mean prediction, the share that came true with its interval, all 0-1, and how many rows."""

    predicted: float
    observed: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through (x, y), in order of x."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate of a group with its interval, 0-1; value None where there is none. count: rows behind it."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    count: int | None = None


def _pygal() -> Any:
    """Half a second to import, and most commands plot nothing."""
    import pygal

    # it looks for plugins with maps by a finder of an old kind, which Python warns of at every later import of anything
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]
    return pygal


def calibration(points: Sequence[CalibrationPoint], *, title: str, what: str = "left") -> str:
    """Predicted probability against the share observed, with intervals; on the diagonal predictions are right."""
    most = max([0.0, *(max(point.high, point.predicted) for point in points)])
    top = next((edge for edge in (0.05, 0.1, 0.2, 0.3, 0.5) if most <= edge), 1.0)
    chart = _plane(title, x="predicted", y=f"observed share that {what}", x_top=top, y_top=top)
    ordered = sorted(points, key=lambda point: point.predicted)
    values = [
        {
            "value": (point.predicted, point.observed),
            "label": f"predicted {point.predicted:.1%}, observed {point.observed:.1%} "
            f"({point.low:.1%} to {point.high:.1%}), {point.count} rows",
        }
        for point in ordered
    ]
    chart.add("observed", values, dots_size=4, stroke_style={"width": 2})
    # pygal draws intervals on bars only; here each is a line of its own, and a None between two ends a line
    ends = [(p.predicted, edge) for p in ordered for edge in (p.low, p.high, None)]
    chart.add("interval", ends, show_dots=False, allow_interruptions=True, stroke_style={"width": 1.5})
    chart.config.style.colors = (PALETTE[0], PALETTE[0])
    _reference(chart, "as predicted", [(0, 0), (top, top)])
    return _svg(chart)


def gains(curves: Sequence[Curve], *, title: str) -> str:
    """Share of the customers looked at, worst first, against the share of those who left found among them."""
    chart = _plane(title, x="share of customers looked at, riskiest first", y="share of those who left")
    _lines(chart, curves)
    _reference(chart, "in any order", [(0, 0), (1, 1)])
    return _svg(chart)


def lift(curves: Sequence[Curve], *, title: str) -> str:
    """Share of the customers looked at, worst first, against how many times the churn rate of all theirs is."""
    most = max([2.0, *(y for curve in curves for _, y in curve.points)])
    chart = _plane(
        title, x="share of customers looked at, riskiest first", y="times the churn rate of all", y_top=most * 1.05
    )
    chart.config(value_formatter=_times)
    _lines(chart, curves)
    _reference(chart, "in any order", [(0, 1), (1, 1)])
    return _svg(chart)


def precision_recall(curves: Sequence[Curve], *, base_rate: float, title: str) -> str:
    """Share of those who left that is found (recall), against the share that leaves among those looked at (precision)."""
    most = max([base_rate * 2, *(y for curve in curves for _, y in curve.points)])
    chart = _plane(title, x="share of those who left that is found", y="share that left", y_top=min(1.0, most * 1.05))
    _lines(chart, curves)
    _reference(chart, "in any order", [(0, base_rate), (1, base_rate)])
    return _svg(chart)


def bars(
    groups: Sequence[Bar],
    *,
    title: str,
    x: str,
    y: str,
    beside: Sequence[Bar] = (),
    names: tuple[str, str] = ("", ""),
    reference: tuple[str, float] | None = None,
) -> str:
    """A rate for each group, with intervals; `beside` is a second series of the same groups, in the same order.

    names: of the two series. reference: a name and a rate to compare with, drawn in grey beside each group.
    """
    most = max([0.01, *(edge for bar in (*groups, *beside) for edge in (bar.value, bar.high) if edge is not None)])
    chart = _pygal().Bar(**_look(title, x, y), range=(0, min(1.0, most * 1.1)), show_legend=bool(beside or reference))
    chart.config(x_labels=[bar.label for bar in groups], value_formatter=_percent)
    for name, series in zip(names, (groups, beside), strict=True):
        if series:
            chart.add(name or y, [_bar(bar) for bar in series])
    if reference:
        name, rate = reference
        _grey_next(chart)
        chart.add(f"{name}: {_percent(rate)}", [{"value": rate, "label": f"{name}: {_percent(rate)}"} for _ in groups])
    return _svg(chart)


def _bar(bar: Bar) -> dict[str, Any] | None:
    if bar.value is None:
        return None
    rows = "" if bar.count is None else f", {bar.count} rows"
    if bar.low is None or bar.high is None:
        return {"value": bar.value, "label": f"{bar.label}: {_percent(bar.value)}{rows}"}
    interval = f" ({_percent(bar.low)} to {_percent(bar.high)})"
    label = f"{bar.label}: {_percent(bar.value)}{interval}{rows}"
    return {"value": bar.value, "ci": {"low": bar.low, "high": bar.high}, "label": label}


def _percent(value: float) -> str:
    return f"{value:.1%}".replace(".0%", "%")


def _times(value: float) -> str:
    return f"{value:.1f}x"


def _look(title: str, x: str, y: str) -> dict[str, Any]:
    sans = "Helvetica, Arial, sans-serif"
    style = _pygal().style.Style(
        background="white",
        plot_background="white",
        foreground="#333333",
        foreground_strong="#111111",
        foreground_subtle="#555555",
        font_family=sans,
        label_font_size=13,
        major_label_font_size=13,
        title_font_size=18,
        legend_font_size=13,
        no_data_font_size=24,
        opacity=".85",
        stroke_opacity="1",
        stroke_width="2",
        guide_stroke_color="#CCCCCC",
        major_guide_stroke_color="#999999",
        colors=PALETTE,
        ci_colors=("#222222",) * len(PALETTE),
    )
    return {
        "style": style,
        "title": title,
        "x_title": x,
        "y_title": y,
        "js": [],
        "width": 800,
        "height": 560,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 3,
        "truncate_legend": -1,
        "truncate_label": -1,
    }


def _plane(title: str, *, x: str, y: str, x_top: float = 1.0, y_top: float = 1.0) -> Any:
    chart = _pygal().XY(**_look(title, x, y), xrange=(0, x_top), range=(0, y_top))
    chart.config(x_value_formatter=_percent, value_formatter=_percent)
    return chart


def _lines(chart: Any, curves: Sequence[Curve]) -> None:
    for number, curve in enumerate(curves):
        dashes = DASHES[number % len(DASHES)]
        look = {"width": 2} if dashes == "none" else {"width": 2, "dasharray": dashes}
        chart.add(curve.name, list(curve.points), show_dots=False, stroke_style=look)


def _reference(chart: Any, name: str, points: Sequence[tuple[float, float]]) -> None:
    """What the series is to be compared with, in grey."""
    _grey_next(chart)
    chart.add(name, list(points), show_dots=False, stroke_style={"width": 1.5, "dasharray": "3,4"})


def _grey_next(chart: Any) -> None:
    style, number = chart.config.style, len(chart.raw_series)
    repeated = style.colors * (1 + number // len(style.colors))
    style.colors = (*repeated[:number], REFERENCE)


def _svg(chart: Any) -> str:
    """The chart as text; its ids come of its content, so that several may stand in one page and none changes by itself."""
    look = chart.config
    content = repr((type(chart).__name__, look.title, look.x_title, look.y_title, look.x_labels, chart.raw_series))
    chart.uuid = blake2b(content.encode(), digest_size=6).hexdigest()
    root = chart.render_tree()
    root.set("role", "img")
    _clean(root)
    ElementTree.register_namespace("", SVG)
    return str(ElementTree.tostring(root, encoding="unicode")) + "\n"


def _clean(node: Any) -> None:
    """Leave out scripts, the maker's dated remarks and what only a script would read; points get a title."""
    notes: dict[str, str] = {}
    for child in list(node):
        name = child.tag if isinstance(child.tag, str) else ""
        if not name or name.endswith("script"):
            node.remove(child)
        elif name.endswith("desc"):
            node.remove(child)
            notes[child.get("class", "")] = child.text or ""
        else:
            _clean(child)
    if note := notes.get("label") or notes.get("value"):
        ElementTree.SubElement(node, "title").text = note
