"""Pictures of a few numbers for mail and Slack: bands over time, amounts, what moved, a line over months.

Each is a small SVG of one width in which every part says its own colour and size, so that whatever draws it draws the same.
Colours are those of hub.drawing.plots, told apart by the colour-blind; every number is also written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from hub.drawing.plots import PALETTE, SVG

WIDTH = 552
"""What a mail has room for."""
INK, SOFT, RULE = "#1c2430", "#5b6470", "#e4e8ee"
FELL, ROSE = PALETTE[1], PALETTE[2]
BAND_COLOURS: Mapping[str, str] = {
    "critical": PALETTE[1],
    "warning": PALETTE[4],
    "stable": PALETTE[5],
    "healthy": PALETTE[2],
    "no score": "#b8bfc9",
}
LONGEST_NAME = 26


@dataclass(frozen=True, slots=True)
class Stack:
    """A column: its label, and how many are in each part."""

    label: str
    parts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Amount:
    """A row: how long its bar is, and what is written beside it. colour: None for the usual one."""

    label: str
    value: float
    said: str
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A place on a line; value None where it cannot be told."""

    label: str
    value: float | None


def stacked(columns: Sequence[Stack], *, title: str, colours: Mapping[str, str] = BAND_COLOURS) -> str:
    """Columns of parts that add up, in the order of `colours`, from below; as high as their sum."""
    top, base, left = 66.0, 218.0, 8.0
    most = max([1, *(sum(column.parts.values()) for column in columns)])
    step = (WIDTH - 2 * left) / max(len(columns), 1)
    wide = min(step * 0.7, 60.0)
    names = [name for name in colours if any(column.parts.get(name) for column in columns)]
    made = [_title(title), *_legend(names, colours), _line(left, base, WIDTH - left, base)]
    for place, column in enumerate(columns):
        x, y = left + step * place + (step - wide) / 2, base
        for name in names:
            count = column.parts.get(name, 0)
            high = (base - top) * count / most
            if count:
                y -= high
                made.append(_rect(x, y, wide, high, colours[name]))
            if high >= 13:
                ink = "#ffffff" if name == "critical" else INK
                made.append(_text(x + wide / 2, y + high / 2 + 4, f"{count:,}", anchor="middle", size=11, colour=ink))
        made.append(_text(x + wide / 2, base + 16, column.label, anchor="middle", size=11, colour=SOFT))
    return _svg(made, 244, title)


def amounts(rows: Sequence[Amount], *, title: str) -> str:
    """Bars to the right, each with its words."""
    left, room = 120.0, WIDTH - 120.0 - 120.0
    most = max([1e-9, *(row.value for row in rows)])
    made = [_title(title)]
    for place, row in enumerate(rows):
        y = 42.0 + 28.0 * place
        long = max(room * max(row.value, 0.0) / most, 1.0)
        made.append(_text(left - 8, y + 14, _short(row.label), anchor="end"))
        made.append(_rect(left, y, long, 20.0, row.colour or PALETTE[0]))
        made.append(_text(left + long + 8, y + 14, row.said, colour=SOFT))
    return _svg(made, 52.0 + 28.0 * len(rows), title)


def moves(rows: Sequence[Amount], *, title: str) -> str:
    """Bars from a middle line: what fell to the left, what rose to the right, in colours of their own."""
    middle, room = 360.0, 130.0
    most = max([1e-9, *(abs(row.value) for row in rows)])
    made = [_title(title)]
    for place, row in enumerate(rows):
        y = 42.0 + 28.0 * place
        long = max(room * abs(row.value) / most, 1.0)
        fell = row.value < 0
        made.append(_text(8, y + 14, _short(row.label)))
        made.append(_rect(middle - long if fell else middle, y, long, 20.0, row.colour or (FELL if fell else ROSE)))
        x = middle - long - 6 if fell else middle + long + 6
        made.append(_text(x, y + 14, row.said, anchor="end" if fell else "start", colour=SOFT))
    made.append(_line(middle, 36, middle, 44.0 + 28.0 * len(rows)))
    return _svg(made, 54.0 + 28.0 * len(rows), title)


def line(points: Sequence[Point], *, title: str, goal: float | None = None, sign: bool = True) -> str:
    """A line over months, interrupted where nothing can be told; `goal`: a dashed line to compare with."""
    known = [point.value for point in points if point.value is not None]
    edges = [*known, *([goal] if goal is not None else [])] or [0.0]
    low, high = min(edges), max(edges)
    pad = (high - low) * 0.15 or 1.0
    top, base, left, right = 54.0, 176.0, 44.0, WIDTH - 60.0
    step = (right - left) / max(len(points) - 1, 1)

    def at(value: float) -> float:
        return base - (base - top) * (value - low + pad) / (high - low + 2 * pad)

    made = [_title(title), _line(left, base + 6, right, base + 6)]
    if goal is not None:
        made.append(_line(left, at(goal), right, at(goal), colour=SOFT, dashes="5,4"))
        made.append(_text(right + 6, at(goal) + 4, f"goal {goal:g}", size=11, colour=SOFT))
    before: tuple[float, float] | None = None
    for place, point in enumerate(points):
        x = left + step * place
        made.append(_text(x, base + 24, point.label, anchor="middle", size=11, colour=SOFT))
        if point.value is None:
            before = None
            continue
        here = (x, at(point.value))
        if before is not None:
            made.append(_line(*before, *here, colour=PALETTE[0], width=2.5))
        made.append(f'<circle cx="{here[0]:.1f}" cy="{here[1]:.1f}" r="4" fill="{PALETTE[0]}"/>')
        said = f"{point.value:+.0f}" if sign else f"{point.value:.0f}"
        anchor = "middle" if place < len(points) - 1 else "end"  # the last one would run into the goal's words
        made.append(_text(x, here[1] - 9, said, anchor=anchor, size=12, bold=True))
        before = here
    return _svg(made, 212, title)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def _legend(names: Sequence[str], colours: Mapping[str, str]) -> Iterable[str]:
    x = 8.0
    for name in names:
        yield _rect(x, 38, 11, 11, colours[name])
        yield _text(x + 16, 48, name, size=12, colour=SOFT)
        x += 34 + 7 * len(name)


def _title(title: str) -> str:
    return _text(8, 22, title, size=15, bold=True)


def _rect(x: float, y: float, wide: float, high: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{colour}"/>'


def _line(
    x: float, y: float, to_x: float, to_y: float, *, colour: str = "#c9d1dc", width: float = 1, dashes: str = ""
) -> str:
    look = f' stroke-dasharray="{dashes}"' if dashes else ""
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"{look}/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 13,
    colour: str = INK,
    bold: bool = False,
) -> str:
    look = f'font-size="{size}" fill="{colour}" text-anchor="{anchor}"' + (' font-weight="bold"' if bold else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _svg(parts: Iterable[str], height: float, title: str) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" viewBox="0 0 {WIDTH} {height:.0f}"'
    drawn = "\n".join(parts)
    return (
        f'<svg xmlns="{SVG}" {size} role="img" aria-label="{escape(title)}" '
        f'font-family="Roboto, Helvetica, Arial, sans-serif">\n{drawn}\n</svg>\n'
    )
