"""SVG into PNG, for mail and Slack, which show no SVG; letters are of a font that comes with a package.

No font of the machine is looked at: a server has often none, and then text would silently be missing; and the same SVG gives
the same picture everywhere.
"""

from functools import cache
from importlib.resources import files

from resvg_py import svg_to_bytes

FAMILY = "Roboto"
SCALE = 2.0
"""Pixels of a picture for each of its own, for screens that have two."""


@cache
def _fonts() -> list[str]:
    folder = files("font_roboto") / "files"
    return [str(folder / name) for name in ("Roboto-Regular.ttf", "Roboto-Bold.ttf")]


def png(svg: str, *, scale: float = SCALE) -> bytes:
    """The picture, `scale` times as wide and high as the SVG says, on white."""
    made = svg_to_bytes(
        svg_string=svg,
        background="#ffffff",
        skip_system_fonts=True,
        font_files=_fonts(),
        font_family=FAMILY,
        sans_serif_family=FAMILY,
        zoom=scale,
    )
    return bytes(made)
