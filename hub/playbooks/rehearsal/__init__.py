"""A playbook rehearsed on the past before it acts: every firing it would have made, and nothing sent or written.

plan = await rehearse(store, Asked(playbook=…, live=…), now=now)

needs      what it asks of each past day, and whether the past can tell it
scene      a day of the past
standing   where customers stood in the lifecycle that day
firing     whom it would have fired for
walking    how long its runs stay open, and what they would send
outcome    what became of those it fired for
plan       the use case
counting   firings counted by CSM and week, and beside those of another version
report     what was found, as data
text       … and as Markdown for a pull request
"""

from hub.playbooks.rehearsal.plan import Asked, rehearse
from hub.playbooks.rehearsal.report import Plan
from hub.playbooks.rehearsal.text import markdown

__all__ = ["Asked", "Plan", "markdown", "rehearse"]
