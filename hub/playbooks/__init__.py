"""Playbooks: when a customer's scorecard says so, tell and ask the right people, once.

    config/playbooks/*.yaml -> loading -> Playbook        what to do (spec), for whom (conditions), how often (rest)
    fire_due, fire          -> playbook_run rows          one firing for one customer (firing)
    playbook.advance        -> deliveries, alerts, waits  one transaction a move, guarded by a fence (advance)
    delivery.send           -> receipts                   reserved -> sent -> confirmed, or unknown (ledger)
    playbook.sweep                                        what a dead process left behind

Runs are rows, and the durable engine only wakes them: whatever it does twice finds the fence moved and does nothing, and a
wait of three days survives a restart and an upgrade. `Playbooks` in `engine` is the whole of it as one object.
"""

from hub.playbooks.engine import Playbooks
from hub.playbooks.firing import Firing
from hub.playbooks.jobs import FireReport, SweepReport
from hub.playbooks.loading import PlaybookFolder, load_all
from hub.playbooks.planned import Planned
from hub.playbooks.spec import Playbook
from hub.playbooks.vocabulary import VOCABULARY

__all__ = [
    "VOCABULARY",
    "FireReport",
    "Firing",
    "Planned",
    "Playbook",
    "PlaybookFolder",
    "Playbooks",
    "SweepReport",
    "load_all",
]
