"""What playbooks did not say, for people's attention: held for a digest or for working hours, merged, or snoozed."""

from collections.abc import Mapping

from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.playbooks import may_work
from hub.web.dashboard.pages.sources import personal

WHY: Mapping[str, str] = {
    "hours": "Waits for working hours",
    "digest": "Told in a digest",
    "merged": "Told already",
    "snoozed": "Snoozed",
}


def _shape(data: Data, visit: Visit) -> Data:
    rows = [{**each, "why": WHY.get(each["held"], each["held"])} for each in data["withheld"]]
    return {"rows": rows, "snoozes": data["snoozes"], "may_work": may_work(visit)}


PAGE = Page(
    name="playbooks_held",
    path="/playbooks/held",
    title="Held back",
    nav="playbooks",
    variables=personal,
    shape=_shape,
)
