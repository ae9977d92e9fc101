"""A map of customers by two numbers at once: how likely they are to leave, and what they pay a year.

Amounts differ by powers of ten, so the upright axis is logarithmic. A customer is a dot, as large as what is likely to be
lost; its name and numbers stand in its title, and it may be a link. As in hub.drawing.pictures each part says its own
colour and size.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10, sqrt

from hub.drawing.pictures import BAND_COLOURS, INK, SOFT
from hub.drawing.plots import PALETTE, SVG

WIDTH, HEIGHT = 640, 380
LEFT, RIGHT, TOP, BASE = 70.0, 620.0, 20.0, 326.0
LEAST_AMOUNT = 1.0
NAMED = 5
"""So many of those that may cost most have their name beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A customer: how likely it is to leave (0-1), what it pays a year, the band of its health, and where its page is."""

    name: str
    risk: float
    amount: float
    band: str | None = None
    href: str | None = None


def risk_map(places: Sequence[Place], *, title: str, unit: str, horizon: str) -> str:
    """The map. unit: of the amounts, such as USD a year; horizon: what the probability speaks of, such as 90 days."""
    shown = [place for place in places if place.amount >= LEAST_AMOUNT]
    low = floor(log10(min((place.amount for place in shown), default=1_000.0)))
    high = max(ceil(log10(max((place.amount for place in shown), default=10_000.0))), low + 1)
    most = max([0.2, *(place.risk for place in shown)])
    widest = min(ceil(most * 10) / 10, 1.0)

    def x(risk: float) -> float:
        return LEFT + (RIGHT - LEFT) * risk / widest

    def y(amount: float) -> float:
        return BASE - (BASE - TOP) * (log10(amount) - low) / (high - low)

    made = [*_across(low, high, y), *_along(widest, x)]
    losses = sorted(shown, key=lambda place: (-place.risk * place.amount, place.name))
    worst = max([1e-9, *(place.risk * place.amount for place in shown)])
    made += [  # the small ones over the large ones, which would hide them
        _dot(place, x(place.risk), y(place.amount), 3.5 + 8.5 * sqrt(place.risk * place.amount / worst))
        for place in losses
    ]
    made += _names(losses[:NAMED], x, y)
    made.append(_text((LEFT + RIGHT) / 2, HEIGHT - 8, f"probability to leave within {horizon}", middle=True))
    made.append(_text(4, TOP - 6, unit))
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    drawn = "\n".join(made)
    family = 'font-family="Roboto, Helvetica, Arial, sans-serif"'
    # a group, for its links are reached one by one: what has the role of a picture is passed over as a whole
    return f'<svg xmlns="{SVG}" {size} role="group" aria-label="{escape(title)}" {family}>\n{drawn}\n</svg>\n'


def _names(places: Sequence[Place], x: Callable[[float], float], y: Callable[[float], float]) -> Iterable[str]:
    """Names beside dots; none where it would run into one that stands already."""
    taken: list[tuple[float, float]] = []
    for place in places:
        left, at = x(place.risk), y(place.amount)
        if any(abs(at - other) < 13 and abs(left - beside) < 130 for beside, other in taken):
            continue
        taken.append((left, at))
        near_edge = left > RIGHT - 110
        yield _text(left + (-14 if near_edge else 14), at + 4, place.name, end=near_edge, colour=INK)


def _across(low: int, high: int, y: Callable[[float], float]) -> Iterable[str]:
    for power in range(low, high + 1):
        yield f'<line x1="{LEFT}" y1="{y(10.0**power):.1f}" x2="{RIGHT}" y2="{y(10.0**power):.1f}" stroke="#e4e8ee"/>'
        yield _text(LEFT - 8, y(10.0**power) + 4, _amount(power), end=True)


def _along(widest: float, x: Callable[[float], float]) -> Iterable[str]:
    for tenth in range(round(widest * 10) + 1):
        if widest > 0.5 and tenth % 2:
            continue
        yield f'<line x1="{x(tenth / 10):.1f}" y1="{BASE}" x2="{x(tenth / 10):.1f}" y2="{BASE + 5}" stroke="#c9d1dc"/>'
        yield _text(x(tenth / 10), BASE + 20, f"{tenth * 10} %", middle=True)


def _dot(place: Place, x: float, y: float, r: float) -> str:
    colour = BAND_COLOURS[place.band or "no score"]
    said = escape(f"{place.name}: {place.risk:.0%} of {place.amount:,.0f}, {place.band or 'no score'}")
    dot = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{colour}" fill-opacity="0.75" stroke="{PALETTE[0]}" '
        f'stroke-width="0.6"><title>{said}</title></circle>'
    )
    return dot if place.href is None else f'<a href="{escape(place.href)}" aria-label="{said}">{dot}</a>'


def _amount(power: int) -> str:
    return f"{10 ** (power % 3)}{('', ' k', ' M', ' B')[min(power // 3, 3)]}" if power >= 0 else f"{10.0**power:g}"


def _text(x: float, y: float, text: str, *, end: bool = False, middle: bool = False, colour: str = SOFT) -> str:
    anchor = "end" if end else "middle" if middle else "start"
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'
