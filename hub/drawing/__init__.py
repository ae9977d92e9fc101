"""Plots as SVG text from plain numbers, and pictures of a few numbers that mail and Slack can show.

`plots`      how well predictions are calibrated, whom a ranking finds, rates of groups: SVG for pages and files
`pictures`   counts of bands over time, amounts, what moved, a line over months: small SVG, every part placed by itself
`png`        SVG into PNG bytes, with the letters of a font that comes along
"""

from hub.drawing.plots import (
    Bar,
    CalibrationPoint,
    Curve,
    bars,
    calibration,
    gains,
    lift,
    precision_recall,
)

__all__ = ["Bar", "CalibrationPoint", "Curve", "bars", "calibration", "gains", "lift", "precision_recall"]
