"""The section `dashboard` of config/hub.yaml: for how long somebody who signed in stays so.

dashboard:
  session_hours: 12      from signing in, however busy; the token's end ends it sooner
  idle_minutes: 240      without a request
"""

from pydantic import BaseModel, ConfigDict, Field


class Dashboard(BaseModel):
    """See the module."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    session_hours: float = Field(default=12, gt=0, le=720)
    idle_minutes: int = Field(default=240, ge=5, le=43_200)
