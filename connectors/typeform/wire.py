"""The simulated company as Typeform's JSON: an NPS survey, a survey after tickets, and a form that measures nothing.

Forms: NpS001 (questions nps and long_text), CsT001 (a rating of five stars, named "how-did-we-do", and long_text), SgN001.
A response's token is 32 characters. The hidden field account_id holds the company's id in the CRM.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.kit.simulated import NpsAnswer, Person, SupportTicket, World, crm_id

Row = dict[str, Any]
NPS, CSAT, SIGNUP = "NpS001", "CsT001", "SgN001"
CSAT_REF = "how-did-we-do"
STARS = {"good": 5, "bad": 1}
LONG_TEXT = {"id": "QlongT", "ref": "anything-else", "type": "long_text"}
SCALES = {
    NPS: {"id": "Qnps01", "ref": "recommend", "type": "nps"},
    CSAT: {"id": "Qstars", "ref": CSAT_REF, "type": "rating"},
}
DEFINITIONS: Mapping[str, Row] = {
    NPS: {"id": NPS, "title": "How likely are you to recommend us?", "fields": [
        {**SCALES[NPS], "title": "Recommend?", "properties": {"steps": 11, "start_at_one": False}}, LONG_TEXT]},
    CSAT: {"id": CSAT, "title": "How did we do?", "fields": [
        {"id": "Ggroup", "type": "group", "properties": {"fields": [
            {**SCALES[CSAT], "title": "Stars", "properties": {"steps": 5, "shape": "star"}}, LONG_TEXT]}}]},
    SIGNUP: {"id": SIGNUP, "title": "Sign up", "fields": [{"id": "Qname1", "ref": "name", "type": "short_text"}]},
}  # fmt: skip


def responses(world: World) -> Mapping[str, Sequence[Row]]:
    """{form: its responses, the newest first}."""
    people = {person.number: person for person in world.people}
    rated = [ticket for ticket in world.tickets if ticket.csat]
    return {
        NPS: _newest_first([_nps(answer, people.get(answer.person)) for answer in world.nps]),
        CSAT: _newest_first([_stars(ticket, people.get(ticket.person)) for ticket in rated]),
        SIGNUP: [],
    }


def truth(world: World) -> Mapping[str, Sequence[str]]:
    asked = [f"{NPS}.{token(NPS, answer.number)}" for answer in world.nps]
    rated = [f"{CSAT}.{token(CSAT, ticket.number)}" for ticket in world.tickets if ticket.csat]
    return {"responses": [*asked, *rated]}


def token(form: str, number: int) -> str:
    return f"{form.lower()}{number:026d}"


def _newest_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["submitted_at"], row["token"]), reverse=True)


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _nps(answer: NpsAnswer, person: Person | None) -> Row:
    return _response(NPS, answer.number, answer.account, person, answer.at, answer.score, answer.comment)


def _stars(ticket: SupportTicket, person: Person | None) -> Row:
    at = ticket.csat_at or ticket.updated_at
    score = STARS[ticket.csat or "good"]
    return _response(CSAT, ticket.number, ticket.account, person, at, score, ticket.csat_comment)


def _response(
    form: str, number: int, account: int, person: Person | None, at: datetime, score: int, comment: str | None
) -> Row:
    answers: list[Row] = [{"field": SCALES[form], "type": "number", "number": score}]
    if comment:
        answers.append({"field": LONG_TEXT, "type": "text", "text": comment})
    return {
        "landing_id": token(form, number),
        "token": token(form, number),
        "response_id": token(form, number),
        "response_type": "completed",
        "landed_at": _iso(at),
        "submitted_at": _iso(at),
        "metadata": {"browser": "default", "platform": "other"},
        "hidden": {"account_id": crm_id(account), "email": person.email if person else ""},
        "calculated": {"score": 0},
        "answers": answers,
    }
