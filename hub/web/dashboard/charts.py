"""Drawings of hub.drawing inside a page: the same drawing that mail and Slack get as a picture, in the page's colours.

inline    a drawing whose every part says its colour in an attribute, which the style sheet overrules in the dark
picture   a plot that brings a style sheet of its own: a page lets no other style in, so it is shown as a picture
"""

from base64 import b64encode

from markupsafe import Markup


def inline(svg: str, *, label: str) -> Markup:
    """A drawing for a template. label: what it shows, for who does not see it. `svg`: as hub.drawing makes it."""
    at = svg.index("<svg")
    drawn = Markup(svg[at:])  # noqa: S704 - drawn by hub.drawing, which escapes every word
    return Markup('<figure class="chart" aria-label="{0}">{1}</figure>').format(label, drawn)


def picture(svg: str, *, label: str) -> Markup:
    """A plot of hub.drawing.plots for a template; label as of `inline`."""
    data = b64encode(svg.encode()).decode()
    return Markup('<img class="plot" alt="{0}" src="data:image/svg+xml;base64,{1}">').format(label, data)
