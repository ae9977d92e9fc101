"""What a run's message shows: the content its template made, how the calls of the run stand, and buttons.

Both the message and each update of it are made here, from the state at the moment they are sent: so an update that comes
late shows no older state than one before it.

Buttons are named by templates (hub.delivery.buttons); which of them stand there depends on the state: who acknowledged needs
no Acknowledge. The run's id is in the block's id, as a menu of people has no value of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from hub.delivery.render_slack import escape_slack, shorten
from hub.model.actions import Alert, AlertOutcome, AlertState, Approval, ApprovalState
from hub.model.team import Team

BLOCK = "cshub.run"
SNOOZES: Mapping[str, tuple[str, timedelta]] = {
    "1d": ("1 day", timedelta(days=1)),
    "3d": ("3 days", timedelta(days=3)),
    "1w": ("1 week", timedelta(weeks=1)),
}
MOST_OPTIONS = 100
_OUTCOMES = {
    AlertOutcome.SUCCESS: "with success",
    AlertOutcome.NO_SUCCESS: "without success",
    AlertOutcome.INVALID: "as not valid",
}
Block = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run stands: the calls it opened, newest first, and what it asked."""

    calls: Sequence[Alert] = ()
    questions: Sequence[Approval] = ()

    @property
    def question(self) -> Approval | None:
        """The one that can be answered."""
        return next((each for each in self.questions if each.state is ApprovalState.OPEN), None)

    @property
    def urgent(self) -> bool:
        return any(each.severity == "urgent" and each.state is not AlertState.CLOSED for each in self.calls)


@dataclass(frozen=True, slots=True)
class Shower:
    """playbooks: {name: title} of those that can be fired by hand, as they are now."""

    team: Team
    hub_url: str
    playbooks: Callable[[], Mapping[str, str]]

    def blocks(
        self,
        content: Sequence[Mapping[str, Any]],
        standing: Standing,
        *,
        buttons: Sequence[str],
        run_id: str,
        customer_id: str,
        now: datetime,
    ) -> list[Mapping[str, Any]]:
        """The blocks of a message; `content`: those of its template."""
        lines = self.lines(standing, now=now)
        made: list[Mapping[str, Any]] = list(content)
        if lines:
            text = shorten("\n".join(lines), 2_000)
            made.append({"type": "context", "block_id": "cshub.state", "elements": [{"type": "mrkdwn", "text": text}]})
        link = f"{self.hub_url.rstrip('/')}/customers/{customer_id}"
        asked = ("approve", "decline") if standing.question is not None and buttons else ()
        wanted = dict.fromkeys((*asked, *buttons))  # what is asked can be answered, whatever the template says
        elements = [each for name in wanted for each in self._element(name, standing, link=link, now=now)]
        if elements:
            made.append({"type": "actions", "block_id": f"{BLOCK}:{run_id}", "elements": elements})
        return made

    def lines(self, standing: Standing, *, now: datetime) -> list[str]:
        """How the calls and questions stand, one line each, in the order they came."""
        many = len(standing.calls) > 1
        told = []
        for call in reversed(standing.calls):
            line = self.call(call, now=now)
            told.append(f"{escape_slack(call.title)}: {line}" if many or call.kind == "task" else line)
        return [*told, *(self._question(each) for each in reversed(standing.questions))]

    def call(self, call: Alert, *, now: datetime) -> str:
        by = f" by {self.name(call.changed_by)}" if call.changed_by else ""
        if call.state is AlertState.CLOSED:
            how = f" {_OUTCOMES[call.outcome]}" if call.outcome else ""
            return f":white_check_mark: closed{how}{by}"
        owner = f"{self.name(call.owner_email)} owns it" if call.owner_email else "nobody owns it"
        due = f", due {call.due_on:%d %b}" if call.due_on else ""
        if call.snoozed_until is not None and call.snoozed_until > now:
            return f":zzz: snoozed until {call.snoozed_until:%a %d %b %H:%M} UTC{by} · {owner}"
        if call.state is AlertState.IN_PROGRESS:
            return f":eyes: acknowledged{by} · {owner}{due}"
        return f":large_orange_circle: open · {owner}{due}"

    def _question(self, asked: Approval) -> str:
        question, by = escape_slack(asked.question), f" by {self.name(asked.decided_by)}" if asked.decided_by else ""
        if asked.state is ApprovalState.OPEN:
            until = f" (until {asked.expires_at:%a %d %b %H:%M} UTC)" if asked.expires_at else ""
            return f":question: {question}{until}"
        mark = {ApprovalState.APPROVED: ":white_check_mark:", ApprovalState.DECLINED: ":no_entry:"}
        return f"{mark.get(asked.state, ':hourglass:')} {question} {asked.state.value}{by}"

    def name(self, email: str | None) -> str:
        """As people say it: a member's name, else the address."""
        if email is None:
            return "nobody"
        known = self.team.members.get(email.lower())
        return escape_slack((known.name if known else None) or email)

    def _element(self, name: str, standing: Standing, *, link: str, now: datetime) -> list[Block]:
        unfinished = [each for each in standing.calls if each.state is not AlertState.CLOSED]
        over = bool(standing.calls) and not unfinished
        match name:
            case "acknowledge":
                untouched = any(each.state is AlertState.OPEN for each in unfinished) or not standing.calls
                style = None if standing.question else "primary"  # one a message: what is asked comes first
                return [button("acknowledge", "Acknowledge", style=style)] if untouched else []
            case "snooze":
                options = [option(label, value) for value, (label, _) in SNOOZES.items()]
                return [] if over else [menu("snooze", "Snooze…", options)]
            case "assign":
                placeholder = {"type": "plain_text", "text": "Assign to…"}
                return (
                    [] if over else [{"type": "users_select", "action_id": "cshub.assign", "placeholder": placeholder}]
                )
            case "fire":
                options = [option(shorten(title, 75), each) for each, title in self.playbooks().items()]
                return [menu("fire", "Fire playbook…", options[:MOST_OPTIONS])] if options else []
            case "approve" | "decline":
                asked = standing.question
                if asked is None or (asked.expires_at is not None and asked.expires_at <= now):
                    return []
                style, label = ("primary", "Approve") if name == "approve" else ("danger", "Decline")
                return [button(name, label, value=str(asked.step), style=style)]
            case "not_useful":
                return [button("not_useful", "Not useful")]
        return [button("open", "Open customer", url=link)]


def button(name: str, label: str, *, value: str = "", style: str | None = None, url: str | None = None) -> Block:
    made: Block = {"type": "button", "action_id": f"cshub.{name}", "text": {"type": "plain_text", "text": label}}
    more = {"value": value, "style": style, "url": url}
    return made | {key: each for key, each in more.items() if each}


def menu(name: str, placeholder: str, options: Sequence[Block]) -> Block:
    return {
        "type": "static_select",
        "action_id": f"cshub.{name}",
        "placeholder": {"type": "plain_text", "text": placeholder},
        "options": list(options),
    }


def option(label: str, value: str) -> Block:
    return {"text": {"type": "plain_text", "text": label}, "value": value}


def digest(standing: Standing, *, now: datetime) -> str:
    """The same for states that look the same in a message."""
    calls = [
        (
            each.id,
            each.state,
            each.outcome,
            each.owner_email,
            each.changed_by,
            each.due_on,
            each.title,
            _ahead(each, now),
        )
        for each in standing.calls
    ]
    questions = [(each.id, each.state, each.decided_by) for each in standing.questions]
    return blake2b(repr((sorted(calls, key=str), sorted(questions, key=str))).encode(), digest_size=16).hexdigest()


def _ahead(call: Alert, now: datetime) -> str | None:
    until = call.snoozed_until
    return until.isoformat() if until is not None and until > now else None
