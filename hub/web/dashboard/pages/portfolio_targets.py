"""The targets of the configuration: goal, where it stands, and how it stood before."""

from hub.web.dashboard.page import Page

PAGE = Page(name="portfolio_targets", path="/portfolio/targets", title="Targets", nav="portfolio", later=True)
