"""A customer's score over time on its bands, with what happened to it below, a row each: where it fell, and what was done.

Days lie as far apart as they are, so that scores of months and of days stand in one picture. Every kind of happening has a
row of its own, which tells them apart without a colour.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from hub.drawing.pictures import BAND_COLOURS, INK, SOFT
from hub.drawing.plots import PALETTE, SVG

WIDTH, LEFT, RIGHT = 760.0, 112.0, 700.0
TOP, BASE, ROW = 14.0, 194.0, 20.0
MOST_GAP = timedelta(days=45)
"""Scores farther apart are not joined: nobody knows what was between."""


@dataclass(frozen=True, slots=True)
class Score:
    """value: 0 to 1; None where there was none on the day."""

    day: date
    value: float | None


@dataclass(frozen=True, slots=True)
class Happening:
    """row: what is written beside its row; said: a sentence, shown when pointed at."""

    day: date
    row: str
    said: str


def score_history(
    scores: Sequence[Score],
    happenings: Sequence[Happening] = (),
    *,
    bands: Sequence[tuple[str, float]],
    first: date,
    last: date,
    title: str,
) -> str:
    """The picture from `first` to `last`. bands: their names and where each begins, from the worst up."""
    rows = list(dict.fromkeys(each.row for each in happenings))
    bottom = BASE + (14.0 + ROW * len(rows) if rows else 0.0)
    whole = max((last - first).days, 1)

    def x(day: date) -> float:
        return LEFT + (RIGHT - LEFT) * (day - first).days / whole

    made = [f"<title>{escape(title)}</title>", *_bands(bands), *_months(first, last, x_of=x, bottom=bottom)]
    made += _line(sorted((each for each in scores if first <= each.day <= last), key=lambda each: each.day), x_of=x)
    for place, row in enumerate(rows):
        y = BASE + 22.0 + ROW * place
        made.append(_text(LEFT - 10, y + 4, row, anchor="end", colour=SOFT))
        made.append(_stroke(LEFT, y, RIGHT, y, "#e4e8ee"))
        made += [
            f'<circle cx="{x(each.day):.1f}" cy="{y:.1f}" r="4.5" fill="{INK}"><title>{escape(each.said)}</title></circle>'
            for each in happenings
            if each.row == row and first <= each.day <= last
        ]
    size = f'width="{WIDTH:.0f}" height="{bottom + 26:.0f}" viewBox="0 0 {WIDTH:.0f} {bottom + 26:.0f}"'
    inside = "\n".join(made)
    return (
        f'<svg xmlns="{SVG}" {size} role="img" font-family="Roboto, Helvetica, Arial, sans-serif">\n{inside}\n</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class Day:
    """How many on a day. Days that are left out had none."""

    day: date
    value: int


def daily(days: Sequence[Day], *, first: date, last: date, title: str, unit: str) -> str:
    """A bar a day, from `first` to `last`."""
    left, base, whole = 40.0, 150.0, (last - first).days + 1
    most = max([1, *(each.value for each in days)])
    step = (WIDTH - left - 8) / whole

    def x(day: date) -> float:
        return left + step * (day - first).days

    made = [f"<title>{escape(title)}</title>", *_months(first, last, x_of=x, bottom=base)]
    made += [
        _text(left - 8, TOP + 4, f"{most:,}", anchor="end", colour=SOFT),
        _text(left - 8, base + 4, "0", anchor="end", colour=SOFT),
    ]
    made += [_stroke(left, y, WIDTH - 8, y, "#e4e8ee") for y in (TOP, base)]
    for each in days:
        high = (base - TOP) * each.value / most
        said = escape(f"{each.day}: {each.value:,} {unit}")
        made.append(
            f'<rect x="{x(each.day):.2f}" y="{base - high:.1f}" width="{max(step * 0.8, 0.8):.2f}" height="{high:.1f}" '
            f'fill="{PALETTE[0]}"><title>{said}</title></rect>'
        )
    inside = "\n".join(made)
    size = f'width="{WIDTH:.0f}" height="{base + 26:.0f}" viewBox="0 0 {WIDTH:.0f} {base + 26:.0f}"'
    return (
        f'<svg xmlns="{SVG}" {size} role="img" font-family="Roboto, Helvetica, Arial, sans-serif">\n{inside}\n</svg>\n'
    )


def _y(value: float) -> float:
    return BASE - (BASE - TOP) * value


def _bands(bands: Sequence[tuple[str, float]]) -> Iterable[str]:
    """Each as a stripe, its name at the left and where it begins at the right."""
    ends = [begins for _, begins in bands[1:]] + [1.0]
    for (name, begins), end in zip(bands, ends, strict=True):
        top, colour = _y(end), BAND_COLOURS.get(name, "#b8bfc9")
        high = _y(begins) - top
        yield (
            f'<rect x="{LEFT:.1f}" y="{top:.1f}" width="{RIGHT - LEFT:.1f}" height="{high:.1f}" fill="{colour}" '
            f'fill-opacity="0.16"/>'
        )
        yield _text(LEFT - 10, top + high / 2 + 4, name, anchor="end", colour=SOFT)
        if begins > 0:
            yield _text(RIGHT + 8, _y(begins) + 4, f"{begins * 100:.0f}", colour=SOFT)


def _months(first: date, last: date, *, x_of: Callable[[date], float], bottom: float) -> Iterable[str]:
    """Where months begin: at most eight of them, so that their names do not touch."""
    starts, day = [], first.replace(day=1)
    while day <= last:
        if day >= first:
            starts.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    every = max(1, -(-len(starts) // 8))
    for start in starts[::-1][::every][::-1]:
        yield _stroke(x_of(start), TOP, x_of(start), bottom, "#e4e8ee")
        name = f"{start:%b %Y}" if start.month == 1 else f"{start:%b}"
        yield _text(x_of(start), bottom + 18, name, anchor="middle", colour=SOFT)


def _line(scores: Sequence[Score], *, x_of: Callable[[date], float]) -> Iterable[str]:
    pieces: list[list[Score]] = [[]]
    for each in scores:
        if each.value is None or (pieces[-1] and each.day - pieces[-1][-1].day > MOST_GAP):
            pieces.append([])
        if each.value is not None:
            pieces[-1].append(each)
    for piece in pieces:
        if len(piece) == 1:
            yield _dot(x_of(piece[0].day), _y(piece[0].value or 0.0), 3.0)
        elif piece:
            points = " ".join(f"{x_of(each.day):.1f},{_y(each.value or 0.0):.1f}" for each in piece)
            yield f'<polyline points="{points}" fill="none" stroke="{PALETTE[0]}" stroke-width="2.2" stroke-linejoin="round"/>'
    if pieces[-1]:
        newest = pieces[-1][-1]
        yield _dot(x_of(newest.day), _y(newest.value or 0.0), 4.5)


def _dot(x: float, y: float, r: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{PALETTE[0]}"/>'


def _stroke(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}" stroke-width="1"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'
