"""Explanation: why a customer's score is what it is, why it moved since a day, and what would lift it.

    explained = await explain(store, "acme.example", since=day)
    explained = await explain(store, "acme.example", scorecard="adoption")     an extra scorecard
    lift = await find_lift(store, book, "acme.example", target=Band.HEALTHY)

Everything is read from what is stored: the scorecard with its readings, the definition that made it, the override in force,
the records as of its day. The parts of a score sum to the computed score, and the parts of a change to the change of the
score in force (scoring.explain). A day without a scorecard stands for the newest one before it. A lift is that of the
definitions there are now, from the facts of the newest day.

    parts      what an explanation is made of
    cards      the scorecard that is explained
    asking     explain, find_lift
    comparing  the change between two scorecards, divided by measure and cause
"""

from hub.explanation.asking import explain, find_lift
from hub.explanation.parts import ChangeLine, Comparison, Explanation, Line
from hub.store.customers import get_customer

__all__ = ["ChangeLine", "Comparison", "Explanation", "Line", "explain", "find_lift", "get_customer"]
