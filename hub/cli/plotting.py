"""Plots of how a churn model was judged, as SVG files in a folder the user names."""

from pathlib import Path

from hub.errors import RefusedError
from scoring.evaluation import Evaluation


def write_plots(folder: Path, stem: str, evaluation: Evaluation, *, title: str) -> list[Path]:
    """`<stem>-calibration.svg` and `<stem>-lift.svg`; the folder is made. RefusedError where it can't be written."""
    from hub.drawing import CalibrationPoint, Curve, calibration, lift  # a command that draws nothing starts without it

    points = [
        CalibrationPoint(group.predicted, group.observed, group.low, group.high, group.count)
        for group in evaluation.calibration
    ]
    plots = {
        folder / f"{stem}-calibration.svg": calibration(points, title=title),
        folder / f"{stem}-lift.svg": lift([Curve("model", evaluation.lift_curve)], title=title),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in plots.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"plots can't be written to {folder}: {error.strerror or error}") from error
    return list(plots)
