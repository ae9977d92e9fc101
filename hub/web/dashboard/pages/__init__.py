"""The pages of the dashboard, one module each, in the order of the navigation."""

from collections.abc import Sequence

from hub.web.dashboard.page import Page
from hub.web.dashboard.pages import today

PAGES: Sequence[Page] = (today.PAGE,)
