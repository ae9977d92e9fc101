"""How often a solution did not hold: reopens a solved ticket; fewer than three solved ones are an anecdote."""

import numpy as np

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted, number

ENOUGH = 3

MEASURE = Measure(
    name="reopen_rate",
    group="support",
    meaning="reopens a ticket, of the tickets solved in 90 days",
    facts=("reopen_rate_90d", "tickets_solved_90d"),
    live="tickets_90d",
    age="support_age_days",
    unit="reopens a ticket",
    curve=Points(((0, 1), (0.05, 0.8), (0.15, 0.5), (0.3, 0.3), (0.6, 0))),
    value=lambda columns: np.where(columns["tickets_solved_90d"] >= ENOUGH, columns["reopen_rate_90d"], np.nan),
    sentence=lambda value, facts: (
        f"{number(round(value, 2))} reopens a ticket, over the "
        f"{counted(facts['tickets_solved_90d'] or 0, 'ticket', 'tickets')} solved in the last 90 days"
    ),
    lever=Lever(
        fact="reopen_rate_90d",
        step=-0.05,
        goal=0,
        doing="ask whether it works before a ticket of theirs is closed",
    ),
)
