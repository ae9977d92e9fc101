"""The pages of the dashboard, one module each, in the order of the navigation."""

from collections.abc import Sequence

from hub.web.dashboard.page import Page
from hub.web.dashboard.pages import (
    customer,
    customer_doings,
    customer_records,
    matches,
    matches_decided,
    source,
    sources,
    sources_quarantine,
    today,
)

PAGES: Sequence[Page] = (
    today.PAGE,
    customer.PAGE,
    customer.CHANGES,
    customer.LIFT,
    *customer_doings.PAGES,
    *customer_records.PAGES,
    sources.PAGE,
    matches.PAGE,
    matches_decided.PAGE,
    source.PAGE,
    sources_quarantine.PAGE,
)
