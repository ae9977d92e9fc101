"""Expansion: the rules that find upgrades, add-ons and seats, and whom nothing is offered."""

from pydantic import BaseModel, ConfigDict


class ExpansionSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = True
