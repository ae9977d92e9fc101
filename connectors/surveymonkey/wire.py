"""The simulated company as SurveyMonkey's JSON: an NPS survey, a survey after tickets, and a quiz that measures nothing.

Surveys: 410001 (NPS, 0 to 10, and a comment), 410002 (five faces, and a comment), 410003. Responses: 110,000,000 + the answer's
number, 120,000,000 + the ticket's. The custom variable account_id holds the company's id in the CRM.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.kit.simulated import NpsAnswer, Person, SupportTicket, World, crm_id

Row = dict[str, Any]
NPS, CSAT, QUIZ = "410001", "410002", "410003"
NPS_QUESTION, CSAT_QUESTION, NPS_COMMENT, CSAT_COMMENT = "880001", "880002", "880011", "880012"
FACES = {"good": 5, "bad": 2}


def choice_id(question: str, number: int) -> str:
    return f"{question}{number:03d}"


def _nps_weight(score: int) -> int:
    return 100 if score >= 9 else 0 if score >= 7 else -100


def _survey(survey: str, title: str, questions: Sequence[Row]) -> Row:
    page = {"id": f"{survey}1", "position": 1, "questions": questions}
    return {"id": survey, "title": title, "date_modified": "2026-01-05T10:00:00", "pages": [page]}


def _comment(question: str) -> Row:
    heading = {"heading": "What else?"}
    return {"id": question, "family": "open_ended", "subtype": "essay", "headings": [heading], "position": 2}


_nps_choices = [
    {"id": choice_id(NPS_QUESTION, n), "text": str(n), "position": n + 1, "weight": _nps_weight(n)} for n in range(11)
]
_faces = [{"id": choice_id(CSAT_QUESTION, n), "text": "★" * n, "position": n, "weight": n} for n in range(1, 6)]
DETAILS: Mapping[str, Row] = {
    NPS: _survey(NPS, "Would you recommend us?", [
        {"id": NPS_QUESTION, "family": "matrix", "subtype": "rating", "headings": [{"heading": "How likely?"}],
         "answers": {"rows": [{"id": "1"}], "choices": _nps_choices}},
        _comment(NPS_COMMENT)]),
    CSAT: _survey(CSAT, "How did we do?", [
        {"id": CSAT_QUESTION, "family": "matrix", "subtype": "rating", "headings": [{"heading": "How was it?"}],
         "answers": {"rows": [{"id": "1"}], "choices": [*_faces, {"id": "880002999", "is_na": True, "position": 6}]}},
        _comment(CSAT_COMMENT)]),
    QUIZ: _survey(QUIZ, "Quiz", [_comment("880031")]),
}  # fmt: skip


def responses(world: World) -> Mapping[str, Sequence[Row]]:
    """{survey: its responses, in the order of their change}."""
    people = {person.number: person for person in world.people}
    rated = [ticket for ticket in world.tickets if ticket.csat]
    return {
        NPS: _in_order([_nps(answer, people.get(answer.person)) for answer in world.nps]),
        CSAT: _in_order([_rated(ticket, people.get(ticket.person)) for ticket in rated]),
        QUIZ: [],
    }


def truth(world: World) -> Mapping[str, Sequence[str]]:
    asked = [f"{NPS}.{nps_id(answer.number)}" for answer in world.nps]
    return {"responses": [*asked, *(f"{CSAT}.{csat_id(ticket.number)}" for ticket in world.tickets if ticket.csat)]}


def nps_id(number: int) -> str:
    return str(110_000_000 + number)


def csat_id(number: int) -> str:
    return str(120_000_000 + number)


def _in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["date_modified"], row["id"]))


def _nps(answer: NpsAnswer, person: Person | None) -> Row:
    chosen = {NPS_QUESTION: choice_id(NPS_QUESTION, answer.score)}
    return _response(NPS, nps_id(answer.number), answer.account, person, answer.at, chosen, NPS_COMMENT, answer.comment)


def _rated(ticket: SupportTicket, person: Person | None) -> Row:
    chosen = {CSAT_QUESTION: choice_id(CSAT_QUESTION, FACES[ticket.csat or "good"])}
    at, key = ticket.csat_at or ticket.updated_at, csat_id(ticket.number)
    return _response(CSAT, key, ticket.account, person, at, chosen, CSAT_COMMENT, ticket.csat_comment)


def _response(
    survey: str,
    key: str,
    account: int,
    person: Person | None,
    at: datetime,
    chosen: Mapping[str, str],
    comment_of: str,
    comment: str | None,
) -> Row:
    answered: list[Row] = [
        {"id": question, "answers": [{"choice_id": choice, "row_id": "1"}]} for question, choice in chosen.items()
    ]
    if comment:
        answered.append({"id": comment_of, "answers": [{"text": comment}]})
    return {
        "id": key,
        "survey_id": survey,
        "collector_id": "5001",
        "recipient_id": "",
        "response_status": "completed",
        "custom_variables": {"account_id": crm_id(account)},
        "date_created": at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "date_modified": at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "total_time": 40,
        "ip_address": "",
        "pages": [{"id": f"{survey}1", "questions": answered}],
        "metadata": {"contact": {"email": {"type": "string", "value": person.email}} if person else {}},
    }
