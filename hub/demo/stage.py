"""The outbox as a place to act: whom a visitor plays, the command line of Slack, and buttons that are really pressed.

Forms without a script: each button is one, and sends what hub.demo.pressing takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from hub.demo.outbox import Arrival


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a button stands, and who presses it. players: {Slack user: name}."""

    message: Arrival
    acting: str
    players: Mapping[str, str]

    def form(self, element: Mapping[str, Any], block: Mapping[str, Any], *, label: str, style: str) -> str:
        """The element as a form; as plain text where nobody can be played."""
        if not self.acting:
            return f'<span class="{style}">{label}</span>'
        hidden = {"user": self.acting, "action_id": element.get("action_id", ""), "block_id": block.get("block_id", "")}
        if self.message.kind == "slack_home":
            hidden["home"] = "true"
        elif self.message.kind == "slack_answer":
            hidden["answer"] = str(self.message.number)
        else:
            hidden |= {"channel": self.message.address, "ts": str(self.message.body.get("ts", ""))}
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(str(value))}">'
            for name, value in hidden.items()
            if value
        )
        if element["type"] == "users_select":
            inside = _menu(element, [(name, user) for user, name in self.players.items()])
        elif element["type"] in ("static_select", "overflow"):
            inside = _menu(element, [(each["text"]["text"], each["value"]) for each in element["options"]])
        else:
            inside = f'<button class="{style}">{label}</button>'
        return f'<form class="press" method="post" action="/slack/press">{fields}{inside}</form>'


def _menu(element: Mapping[str, Any], options: Sequence[tuple[str, str]]) -> str:
    shown = "".join(f'<option value="{escape(value)}">{escape(label)}</option>' for label, value in options)
    label = escape(str((element.get("placeholder") or {}).get("text", "Choose")))
    menu = f'<select name="value" aria-label="{label}" required><option value="">{label}</option>{shown}</select>'
    return f'{menu}<button class="button">OK</button>'


def playing(players: Mapping[str, str], acting: str) -> str:
    """Who a visitor plays, and what this person can do without a message."""
    if not players:
        return ""
    names = " ".join(
        f"<strong>{escape(name)}</strong>"
        if user == acting
        else f'<a href="/outbox?as={quote(user)}">{escape(name)}</a>'
        for user, name in players.items()
    )
    user = f'<input type="hidden" name="user" value="{escape(acting)}">'
    return (
        f'<section class="playing"><p>You are {names}</p>'
        f'<form class="press" method="post" action="/slack/command">{user}<label>/cshub '
        '<input name="text" placeholder="a customer, mine or help" autocomplete="off"></label>'
        '<button class="button">Send</button></form>'
        f'<form class="press" method="post" action="/slack/home">{user}<button class="button">Open App Home</button></form>'
        "</section>"
    )


def told_to(messages: Sequence[Arrival], acting: str) -> list[Arrival]:
    """What is to be seen, newest first: an App Home only as it is now, and no answer that another one replaced."""
    replaced = {each.body.get("replaces") for each in messages if each.kind == "slack_answer"}
    shown: list[Arrival] = []
    homes: set[str] = set()
    for each in messages:
        if each.kind in ("slack_file", "slack_update"):
            continue
        if each.kind == "slack_home":
            if each.address != acting or each.address in homes:
                continue
            homes.add(each.address)
        if each.kind == "slack_answer" and (each.number in replaced or each.body.get("deleted")):
            continue
        shown.append(each)
    return shown
