"""Renewal: from when on one is upcoming and due, and when an overdue one counts as lost."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=0, le=730)]
Share = Annotated[float, Field(ge=0, le=1)]


class RenewalSettings(BaseModel):
    """All in days but for the two last.

    upcoming        from so long before its day on a customer counts as one with a renewal ahead
    due             … and from so long before it the renewal is due
    grace           after its day, or the end of the terms, until it is lost where nothing followed
    shown           after its day, for how long a customer still counts as renewed
    notice          before its day, until when a term that renews by itself can be given notice of
    shortest_term   shorter terms run on from month to month and are no renewals
    deal            between a renewal and the close of the CRM's deal about it, at most
    base_rate       probability where no model speaks and fewer than `enough` were decided in a year
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True
    upcoming: Days = 180
    due: Days = 30
    grace: Days = 30
    shown: Days = 30
    notice: Days = 30
    shortest_term: Days = 60
    deal: Days = 120
    base_rate: Share = 0.85
    enough: Annotated[int, Field(ge=1)] = 20
