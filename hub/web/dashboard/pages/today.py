"""Today, the page people open in the morning: who needs me, why, and what to do about it."""

from hub.web.dashboard.page import Data, Page, Visit


def _variables(visit: Visit) -> Data:
    return {"owner": visit.viewer.csm_email}


PAGE = Page(name="today", path="/", title="Today", nav="today", variables=_variables)
