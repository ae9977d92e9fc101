"""Silence of the executives: days since any of them was last seen, in contact, answered a survey or wrote a ticket.

Where no executive is named there is nobody to hear from, and nothing to read.
"""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted

A_CONVERSATION = -3650.0
"""One conversation ends any silence."""

MEASURE = Measure(
    name="executive_silence",
    group="relationship",
    meaning="days since any executive contact was last seen or in contact",
    facts=("executive_silence_days", "executives"),
    live="executives",
    age="profile_age_days",
    unit="days",
    curve=Points(((14, 1), (45, 0.7), (90, 0.45), (180, 0.15), (270, 0))),
    value=lambda columns: columns["executive_silence_days"],
    sentence=lambda value, facts: (
        f"Nothing was heard for {counted(value, 'day', 'days')} of "
        f"{counted(facts['executives'] or 0, 'executive contact', 'executive contacts')}"
        if value > 0
        else "An executive contact was heard of on the day itself"
    ),
    lever=Lever(
        fact="executive_silence_days",
        step=A_CONVERSATION,
        goal=0,
        most=1,
        doing="speak with an executive: a business review",
    ),
)
