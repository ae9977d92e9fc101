"""Privacy: what people may ask of us, which is a copy or to be erased, and addresses that get no mail."""

from hub.model.actions import Role, Scope
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.sources import personal


def _variables(visit: Visit) -> Data:
    return {"after": visit.query.get("after") or None, **personal(visit)}


def _shape(_: Data, visit: Visit) -> Data:
    scopes = visit.viewer.scopes
    return {"may_export": {Scope.ACT, Scope.EXPORT, Scope.PERSONAL} <= scopes}


PAGE = Page(
    name="admin_privacy",
    path="/admin/privacy",
    title="Privacy",
    nav="admin",
    role=Role.ADMIN,
    variables=_variables,
    shape=_shape,
)
