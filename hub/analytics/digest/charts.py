"""The pictures of a digest, each with what it shows in words for who doesn't see it; none where there is nothing to draw."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.analytics.digest.parts import BANDS, NO_SCORE, Digest
from hub.drawing.pictures import BAND_COLOURS, Amount, Point, Stack, amounts, line, moves, stacked

LARGEST = 60_000
"""Bytes that a picture may have."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture as SVG, its title, and what it shows in words."""

    svg: str
    title: str
    alt: str


def charts(digest: Digest) -> dict[str, Chart]:
    """{name: picture}, of bands, arr, movers, nps."""
    made = {"bands": _bands(digest), "arr": _arr(digest), "movers": _movers(digest), "nps": _nps(digest)}
    return {name: chart for name, chart in made.items() if chart is not None}


def _bands(digest: Digest) -> Chart | None:
    days = {day: parts for day, parts in digest.bands.items() if parts}
    if len(days) < 2:  # one column shows no time
        return None
    title = "Customers by health"
    columns = [Stack(f"{day:%d %b}".lstrip("0"), parts) for day, parts in days.items()]
    (first, then), (last, now) = next(iter(days.items())), list(days.items())[-1]
    told = ", ".join(
        f"{name} {now.get(name, 0)} ({then.get(name, 0)} then)"
        for name in (*BANDS, NO_SCORE)
        if now.get(name) or then.get(name)
    )
    return Chart(stacked(columns, title=title), title, f"{title} from {first} to {last}: {told}")


def _arr(digest: Digest) -> Chart | None:
    found = digest.portfolio.arr_of
    if not found:
        return None
    currency = max(found, key=lambda name: (sum(found[name].values()), name))
    bands: Mapping[str, float] = found[currency]
    whole = sum(bands.values())
    title = f"ARR by health, {currency}"
    rows = [
        Amount(name, bands[name], f"{bands[name]:,.0f} ({bands[name] / whole:.0%})", BAND_COLOURS[name])
        for name in (*BANDS, NO_SCORE)
        if bands.get(name)
    ]
    return Chart(amounts(rows, title=title), title, f"{title}: " + ", ".join(f"{row.label} {row.said}" for row in rows))


def _movers(digest: Digest) -> Chart | None:
    told = (*digest.falls, *reversed(digest.rises))
    if not told:
        return None
    title = "Whose health moved most"
    rows = [
        Amount(move.name, move.after - move.before, f"{100 * move.before:.0f} to {100 * move.after:.0f}")
        for move in told
    ]
    return Chart(moves(rows, title=title), title, f"{title}: " + ", ".join(f"{row.label} {row.said}" for row in rows))


def _nps(digest: Digest) -> Chart | None:
    known = [(month, value) for month, value in digest.nps if value is not None]
    if len(known) < 2:  # one point is no line
        return None
    title = "NPS by month"
    goal = next((each.target.above for each in digest.targets if each.definition.name == "nps"), None)
    points = [Point(f"{month.first:%b}", value) for month, value in digest.nps]
    told = ", ".join(f"{month.first:%B %Y} {value:+.0f}" for month, value in known)
    return Chart(line(points, title=title, goal=goal), title, f"{title}: {told}")
