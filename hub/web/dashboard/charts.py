"""Drawings of hub.drawing inside a page: the same drawing that mail and Slack get as a picture, in the page's colours.

A drawing says every colour in an attribute, which the style sheet overrules in the dark; see static/dashboard/charts.css.
"""

from markupsafe import Markup


def inline(svg: str, *, label: str) -> Markup:
    """A drawing for a template. label: what it shows, for who does not see it. `svg`: as hub.drawing makes it."""
    at = svg.index("<svg")
    return Markup('<figure class="chart" role="img" aria-label="{0}">{1}</figure>').format(label, Markup(svg[at:]))  # noqa: S704 - drawn by hub.drawing, which escapes every word
