"""A report's plots, as {file name: SVG text}: what the ranking finds, and who left of each decile and band."""

from collections.abc import Sequence
from pathlib import Path

from hub.backtest.report import Report
from hub.drawing import Bar, Curve, bars, gains, lift, precision_recall
from scoring.rates import Rate


def plots(report: Report) -> dict[str, str]:
    """Those that the report has numbers for."""
    made: dict[str, str] = {}
    about = f"leaving within {report.horizon} days, {report.first_day} to {report.last_day}"
    if report.base_rate is not None and not report.too_few:
        found = {name: report.judged[name] for name in report.names}
        curves = [Curve(name, each.precision_recall) for name, each in found.items()]
        made["precision_recall.svg"] = precision_recall(
            curves, base_rate=report.base_rate, title=f"Who is found: {about}"
        )
        made["gains.svg"] = gains([Curve(name, each.gains) for name, each in found.items()], title=f"Gains: {about}")
        made["lift.svg"] = lift([_lift(name, each.gains) for name, each in found.items()], title=f"Lift: {about}")
    for name in report.names:
        judged = report.judged[name]
        for what, words, rates in (
            ("bands", "band", judged.bands),
            ("deciles", "decile of the score, the lowest first", judged.deciles),
        ):
            if rates and any(rate.rows for rate in rates):
                made[f"{what}_{_plain(name)}.svg"] = bars(
                    _bars(rates),
                    title=f"{name}: {about}",
                    x=words,
                    y="share that left",
                    reference=None if report.base_rate is None else ("all", report.base_rate),
                )
    return made


def write_plots(report: Report, folder: Path) -> list[Path]:
    """Write the plots into `folder`, which is made; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, svg in plots(report).items():
        path = folder / name
        path.write_text(svg, encoding="utf-8")
        files.append(path)
    return files


def _lift(name: str, points: Sequence[tuple[float, float]]) -> Curve:
    return Curve(name, [(share, found / share) for share, found in points if share >= 0.01])


def _bars(rates: Sequence[Rate]) -> list[Bar]:
    return [Bar(rate.name, rate.rate, rate.low, rate.high, rate.rows) for rate in rates]


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)
