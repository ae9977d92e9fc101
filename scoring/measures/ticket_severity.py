"""How bad the tickets are: those of severity high or urgent. A count, because a share of one ticket is all or nothing."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import number

MEASURE = Measure(
    name="ticket_severity",
    group="support",
    meaning="tickets of severity high or urgent opened in 90 days",
    facts=("urgent_tickets_90d", "tickets_90d"),
    live="tickets_90d",
    age="support_age_days",
    unit="tickets",
    curve=Points(((0, 1), (1, 0.7), (2, 0.5), (4, 0.3), (8, 0))),
    value=lambda columns: columns["urgent_tickets_90d"],
    sentence=lambda value, facts: (
        f"{number(value)} of {number(facts['tickets_90d'] or 0)} tickets in the last 90 days were high or urgent"
        if facts["tickets_90d"]
        else "No ticket in the last 90 days"
    ),
    lever=Lever(
        fact="urgent_tickets_90d",
        step=-1,
        goal=0,
        most=4,
        doing="remove the cause of one urgent ticket, so that none follows it",
    ),
)
