"""A customer's card: how it stands, why, its open alerts and tasks with their buttons, and playbooks to fire."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.delivery import Rendered
from hub.delivery.render_slack import escape_slack, shorten
from hub.errors import NotFoundError
from hub.model.actions import Alert, AlertState
from hub.model.own_words import title_without_words
from hub.playbooks.words import reasons
from hub.slack.showing import MOST_OPTIONS, SNOOZES, Shower, button, menu, option
from hub.store import Store
from hub.store.alerts import find_alerts
from hub.store.books import holds_customer
from hub.store.customers import Named
from hub.store.playbooks import Situation, find_situations

MOST_CALLS = 5
CUSTOMER, ALERT = "cshub.customer", "cshub.alert"
GONE = "this customer is gone, or was merged into another"
Render = Callable[[str, Mapping[str, Any]], Rendered]
"""A Slack template by its name, with what it may say."""
_OPEN = (AlertState.OPEN, AlertState.IN_PROGRESS)


class Cards:
    def __init__(self, store: Store, render: Render, shower: Shower) -> None:
        self._store, self._render, self._shower = store, render, shower

    async def card(self, customer_id: str, *, book: str | None, may_act: bool, now: datetime) -> dict[str, Any]:
        """The message; buttons that act are there for who may. A customer outside the book is one that is not there."""
        async with self._store.reading() as connection:
            if not await holds_customer(connection, customer_id, book=book):
                raise NotFoundError(GONE)
            found = await find_situations(connection, [customer_id])
            calls = await find_alerts(connection, customer_ids=[customer_id], states=_OPEN, limit=MOST_CALLS)
        if customer_id not in found:
            raise NotFoundError(GONE)
        link = f"{self._shower.hub_url.rstrip('/')}/customers/{customer_id}"
        made = dict(self._render("customer_card", context(found[customer_id], calls, link=link)).payload)
        blocks = [*made["blocks"], *(each for call in calls for each in self.call(call, may_act=may_act, now=now))]
        playbooks = [option(shorten(title, 75), name) for name, title in self._shower.playbooks().items()]
        elements = [button("open", "Open customer", url=link)]
        if may_act and playbooks:
            elements.append(menu("fire", "Fire playbook…", playbooks[:MOST_OPTIONS]))
        blocks.append({"type": "actions", "block_id": f"{CUSTOMER}:{customer_id}", "elements": elements})
        return {"text": made["text"], "blocks": blocks}

    def call(self, call: Alert, *, may_act: bool, now: datetime, of: str | None = None) -> list[Mapping[str, Any]]:
        """A call with its buttons. `of`: the customer's name, where it is not clear. Who may not act, may not see personal data
        either, nor what a person wrote for a title."""
        told = call.title if may_act else title_without_words(call.kind, call.title, call.dedup_key)
        title = f"*{escape_slack(told)}*" + (f" · {escape_slack(of)}" if of else "")
        text = shorten(f"{title}\n{self._shower.call(call, now=now)}", 3_000)
        made: list[Mapping[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]
        if may_act:
            acknowledge = [button("acknowledge", "Acknowledge")] if call.state is AlertState.OPEN else []
            snoozes = [option(label, value) for value, (label, _) in SNOOZES.items()]
            elements = [
                *acknowledge,
                menu("snooze", "Snooze…", snoozes),
                {
                    "type": "users_select",
                    "action_id": "cshub.assign",
                    "placeholder": {"type": "plain_text", "text": "Assign to…"},
                },
            ]
            made.append({"type": "actions", "block_id": f"{ALERT}:{call.id}", "elements": elements})
        return made


def context(situation: Situation, calls: Sequence[Alert], *, link: str) -> dict[str, Any]:
    """What the template of the card may say."""
    values = situation.values
    days = values.get("renewal_days")
    as_of = situation.as_of
    profile = ("name", "domain", "segment", "plan", "csm_name", "csm_email", "mrr")
    return {
        "customer": {"id": situation.customer_id, **{name: values.get(name) for name in profile}},
        "health": percent(values.get("health")),
        "health_change": percent(values.get("health_change_30d")),
        "band": values.get("band"),
        "coverage": percent(values.get("coverage")),
        "churn": {"annualised": percent(values.get("churn_annualised")), "band": values.get("churn_band")},
        "reasons": reasons(situation),
        "renewal": {
            "days": None if days is None else round(days),
            "status": values.get("renewal_status"),
            "auto": values.get("renewal_auto"),
        },
        "calls": len(calls),
        "facts": {name: values.get(name) for name in ("onboarding_step", "onboarding_pace")},
        "day": None if as_of is None else f"{as_of.day} {as_of:%B %Y}",
        "link": link,
    }


def choice(text: str, found: Sequence[Named], *, near: bool) -> dict[str, Any]:
    """Several customers that may be meant, one button each. `near`: none is called so, these are like it."""
    head = f"No customer is called *{escape_slack(text)}*." if near else f"*{escape_slack(text)}* may be:"
    if near and found:
        head += " Did you mean:"
    blocks: list[Mapping[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": head}}]
    for each in found:
        shown = button("card", "Show", value=each.id)
        line = f"*{escape_slack(each.name)}*" + (f" · {escape_slack(each.domain)}" if each.domain else "")
        block_id = f"{CUSTOMER}:{each.id}"
        blocks.append(
            {"type": "section", "block_id": block_id, "text": {"type": "mrkdwn", "text": line}, "accessory": shown}
        )
    return {"text": "Which customer?" if found else "No such customer.", "blocks": blocks}


def percent(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(value * 100) if is_number else None
