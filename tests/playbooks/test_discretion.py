import pytest

from hub.model.own_words import without_addresses
from hub.playbooks.discretion import indiscretions, personal_fields
from hub.playbooks.steps import Call, Slack, Update
from hub.playbooks.triggers import Trigger

TICKET = Trigger(record="ticket")


def test_fields_are_personal_where_erasing_a_person_changes_them() -> None:
    assert personal_fields("ticket") == {"subject", "requester_email", "url"}
    assert personal_fields("contact") == {"email", "name", "title"}
    assert personal_fields("subscription") == frozenset()


@pytest.mark.parametrize(
    ("title", "fault"),
    [
        ("{{ record.subject }} of {{ customer.name }}", "record.subject"),
        ("{% if record . requester_email %}x{% endif %}", "record.requester_email"),
        ("{{ record['subject'] }}", "record.subject"),
        ("{{ renewal.reason or '' }}", "renewal.reason"),
        ("{{ onboarding.ended_why }}", "onboarding.ended_why"),
        ("{{ customer.name }}: {{ record.replies }} of {{ facts.tickets_open }}, {{ renewal.due_on }}", None),
        ("record.subject is no template, and {{ 'record.subject' }} a text", None),
        ("{{ my_record.subject }}", None),
    ],
)
def test_a_title_names_nobody(title: str, fault: str | None) -> None:
    told = [*indiscretions(Call(title=title, reason="{{ record.subject }}"), TICKET)]
    assert [fault is not None and f"{fault} may tell of a person: put it into the reason" in each for each in told] == (
        [True] if fault else []
    )


def test_custom_fields_do_neither_and_messages_may() -> None:
    (told,) = indiscretions(Update.model_validate({"who": "{{ record.requester_email }}", "at": 3}), TICKET)
    assert told.startswith("who is seen by all who may read")
    assert [*indiscretions(Slack(channel="#cs", template="save"), TICKET)] == []


def test_addresses_are_left_out_of_what_an_event_gave_a_title() -> None:
    assert without_addresses("Up 3 @ once") == "Up 3 @ once"
