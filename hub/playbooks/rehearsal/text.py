"""A plan as Markdown for a comment on a pull request: compact, and no longer than such a comment may be."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub.playbooks.rehearsal.report import Counted, Outcome, Plan, Shown

LONGEST = 65_536
"""Characters of a comment where code is hosted."""
MOST_CSMS = 15
MOST_FACTS = 8


def markdown(plan: Plan) -> str:
    """All of it in at most LONGEST characters."""
    new, live = plan.new, plan.live
    parts = [
        f"### `{plan.playbook}` v{new.version}: {_safe(plan.title)}",
        _rehearsed(plan),
        _table(["", "this version", *(["live version"] if live else [])], _rows(new, live)),
        _difference(plan),
        _loads(new),
        _outcome(new.outcome),
        _examples(plan.examples),
        "\n".join(f"- {_safe(each)}" for each in plan.cautions),
    ]
    text = "\n\n".join(part for part in parts if part) + "\n"
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 100]
    return cut[: cut.rindex("\n")] + "\n\n(cut: `--json` has all of it)\n"


def _rehearsed(plan: Plan) -> str:
    return (
        f"Rehearsed on {plan.first} to {plan.last} ({plan.days} days, {plan.scored} with scorecards, "
        f"{plan.customers:,} customers; replayed since {plan.rehearsed_since}). Nothing was sent and nothing was written."
    )


def _rows(new: Counted, live: Counted | None) -> list[list[str]]:
    both = [new, *([live] if live else [])]

    def row(name: str, values: Sequence[str]) -> list[str]:
        return [name, *values]

    rows = [
        row("Firings", [f"{each.firings:,}" for each in both]),
        row("Customers", [f"{each.customers:,}" for each in both]),
        row("Per CSM and week, mean", [f"{each.mean_a_week:.2f} ({each.csms} CSMs)" for each in both]),
        row("Per CSM and week, worst", [_worst(each) for each in both]),
        row("Per week in all, worst", [f"{each.most_a_week:,}" for each in both]),
        row("Besides, at once on the first day", [f"{each.at_once:,}" for each in both]),
        row("Meet the condition now", [f"{each.matching_now:,}" for each in both]),
        row("Messages, at most", [_counts(each.messages) for each in both]),
        row("Alerts and tasks, at most", [_counts(each.calls) for each in both]),
    ]
    if any(each.asked for each in both):
        rows.append(row("Questions to people", [f"{each.asked:,}" for each in both]))
    if any(each.held_out for each in both):
        rows.append(row("Held out of these, untreated", [f"{each.held_out:,} customers" for each in both]))
    rows.append(row(f"Left within {new.outcome.horizon} days", [_precision(each.outcome) for each in both]))
    rows.append(row("Churners reached", [_reached(each.outcome) for each in both]))
    return rows


def _worst(counted: Counted) -> str:
    if not counted.worst_week:
        return "0"
    return f"{counted.worst_week:,} ({_safe(counted.worst_csm or 'no CSM')}, from {counted.worst_begins})"


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in found.items()) or "none"


def _precision(found: Outcome) -> str:
    if found.precision is None or found.low is None or found.high is None:
        return "cannot be told yet"
    return f"{found.left:,} of {found.customers:,} ({found.precision:.0%}, 95 %: {found.low:.0%} to {found.high:.0%})"


def _reached(found: Outcome) -> str:
    if found.reached_share is None:
        return "cannot be told yet"
    lead = "" if found.median_lead is None else f", median {found.median_lead:.0f} days before"
    return f"{found.reached:,} of {found.churners:,} ({found.reached_share:.0%}{lead})"


def _difference(plan: Plan) -> str:
    if plan.compared is None:
        return f"Compared with nothing: {_safe(plan.live_is)}."
    found = plan.compared
    counts = f"{found.only_new:,} only by this one, {found.only_live:,} only by the live one, {found.both:,} by both"
    told = [f"**Beside the live version** ({_safe(plan.live_is)}), customers: {counts}."]
    for what, names, number in (
        ("Only by this one", found.new_names, found.only_new),
        ("Only by the live one", found.live_names, found.only_live),
    ):
        if names:
            more = f" and {number - len(names):,} more" if number > len(names) else ""
            told.append(f"{what}: {', '.join(map(_safe, names))}{more}.")
    return "\n".join(told)


def _loads(new: Counted) -> str:
    if not new.loads:
        return ""
    shown = new.loads[:MOST_CSMS]
    rows = [
        [_safe(each.csm or "no CSM"), f"{each.firings:,}", f"{each.a_week:.2f}", f"{each.worst_week:,}"]
        for each in shown
    ]
    more = f"\n\n{len(new.loads) - len(shown)} CSMs more with fewer." if len(new.loads) > len(shown) else ""
    return _table(["CSM", "firings", "a week", "worst week"], rows) + more


def _outcome(found: Outcome) -> str:
    told = []
    if found.first is None or found.precision is None:
        told.append(
            f"Whether it is right cannot be told yet: no customer it fired for while at stake has its {found.horizon} days "
            "behind it, with the grace after which a leaving is certain."
        )
    else:
        base = "" if found.base_rate is None else f"; of all customers at stake {found.base_rate:.1%} did"
        lift = "" if found.lift is None else f", {found.lift:.1f} times as many"
        told.append(
            f"Judged are firings from {found.first} to {found.last}, the first of each customer: {_precision(found)} "
            f"left within {found.horizon} days{base}{lift}."
        )
    if found.immature:
        told.append(
            f"Firings since then have not matured and are left out: {found.immature:,} customers, "
            f"of whom {found.immature_left:,} have left already."
        )
    if found.not_at_stake:
        told.append(
            f"{found.not_at_stake:,} firings are left out: those customers had given notice, or paid nothing or only lately."
        )
    return " ".join(told)


def _examples(examples: Sequence[Shown]) -> str:
    if not examples:
        return "It would have fired for nobody in the window."
    rows = [
        [_safe(each.name), str(each.day), _safe(each.csm or ""), _facts(each.facts), _safe(each.later)]
        for each in examples
    ]
    return _table(["customer", "day", "CSM", "because", "later"], rows)


def _facts(facts: Mapping[str, Any]) -> str:
    shown = [f"{name} {_value(value)}" for name, value in sorted(facts.items()) if value is not None]
    more = f", and {len(shown) - MOST_FACTS} more" if len(shown) > MOST_FACTS else ""
    return _safe(", ".join(shown[:MOST_FACTS]) + more)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _safe(text: str) -> str:
    """On one line, without what Markdown or HTML would take for its own."""
    line = " ".join(str(text).split())
    for mark in "\\|`*[]<>#":
        line = line.replace(mark, {"<": "&lt;", ">": "&gt;"}.get(mark, f"\\{mark}"))
    return re.sub(r"(?<!\w)@", "@\u200b", line)[:200]  # so that nobody of that name is called
