"""The durable jobs of playbooks: their names, what they are told and what they report.

playbook.fire {"playbook": name}             at the ticks of its schedule
playbook.advance {"runs": [[id, fence], …]}
playbook.event {"event": id}                 an event that came in by webhook
delivery.send {}
delivery.look {}                             at what runs started elsewhere and wait for
playbook.sweep {}                            the net under everything else: put it on a schedule of a minute, and nothing
                                             is lost while it runs now and then
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.durable import Argument
from hub.playbooks.advance import Move

ADVANCE = "playbook.advance"
EVENT = "playbook.event"
FIRE = "playbook.fire"
SEND = "delivery.send"
LOOK = "delivery.look"
SWEEP = "playbook.sweep"


@dataclass(frozen=True, slots=True)
class FireReport:
    """{playbook: how many customers it newly fired for}."""

    fired: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.fired.values())


@dataclass(frozen=True, slots=True)
class SweepReport:
    """runs woken because nobody else did, and messages whose sender died in the act."""

    woken: int
    unknown: tuple[str, ...]


def tick_name(playbook: str) -> str:
    return f"pb.{playbook}"[:60]


def argument_of(moves: Sequence[Move]) -> Argument:
    return {"runs": [[run_id, fence] for run_id, fence in moves]}


def moves_of(argument: Argument) -> list[Move]:
    pairs = argument["runs"]
    assert isinstance(pairs, list), "as _argument makes it"
    return [(str(run_id), int(fence)) for run_id, fence in pairs]
