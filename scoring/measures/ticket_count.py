"""How much support a customer needs: tickets of 90 days for every 10 active users, with at least 10 counted.

Where no usage is known the count stands for itself, as if there were 10 users.
"""

import numpy as np

from scoring.curves import Points
from scoring.measure import Lever, Measure, Numbers
from scoring.wording import counted, number

USERS = 10.0


def _sentence(value: float, facts: Numbers) -> str:
    text = f"{counted(facts['tickets_90d'] or 0, 'ticket', 'tickets')} in the last 90 days"
    users = facts["mau"] or 0.0
    return f"{text}, {number(round(value, 1))} for every 10 of {number(users)} active users" if users > USERS else text


MEASURE = Measure(
    name="ticket_count",
    group="support",
    meaning="tickets opened in 90 days, for every 10 active users",
    facts=("tickets_90d", "mau"),
    live="tickets_90d",
    age="support_age_days",
    unit="tickets for 10 users",
    curve=Points(((0, 1), (2, 0.8), (4, 0.6), (8, 0.3), (15, 0))),
    value=lambda columns: columns["tickets_90d"] / np.fmax(columns["mau"], USERS) * USERS,
    sentence=_sentence,
    lever=Lever(
        fact="tickets_90d",
        step=-1,
        goal=0,
        most=6,
        limit="urgent_tickets_90d",
        doing="spare them one ticket: training, documentation, a fix",
    ),
)
