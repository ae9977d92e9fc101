"""The team, and what each role may do."""

from hub.access.viewer import SCOPES as ALLOWED
from hub.model.actions import Role
from hub.web.dashboard.page import Data, Page, Visit
from hub.web.dashboard.pages.admin import ROLES, SCOPES


def _shape(data: Data, _: Visit) -> Data:
    roles = [
        {
            "role": role,
            "words": words,
            "scopes": [scope for scope in SCOPES if scope.lower() in ALLOWED[Role(role.lower())]],
        }
        for role, words in ROLES.items()
    ]
    return {"roles": roles, "scopes": [{"scope": scope, "words": words} for scope, words in SCOPES.items()]}


PAGE = Page(name="admin_team", path="/admin/team", title="Team and roles", nav="admin", role=Role.ADMIN, shape=_shape)
