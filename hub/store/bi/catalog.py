"""The views there are."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Table, and_, distinct, func

from hub.model.conditions import Field
from hub.store import tables
from hub.store.bi.view import Given, View, columns_of
from hub.store.conditions import column_of

_newest = tables.scorecard.alias("newest")
_customer, _score, _activity = tables.customer, tables.scorecard, tables.user_activity_day
_IDS = {"id": "Of the row; it never changes.", "customer_id": "Of the customer it belongs to."}


def _fact(name: str, about: str) -> Given:
    return Given(name=name, value=column_of(Field(name, "number"), scorecard=_newest), about=about)


def _of_source(
    name: str, table: Table, about: str, personal: tuple[str, ...] = (), /, **abouts: str
) -> tuple[str, View]:
    """Rows of a source that belong to a customer and are not deleted."""
    columns = columns_of(table, personal, **_IDS, source="The source that has it.", **abouts)
    kept: tuple[ColumnElement[bool], ...] = (table.c.deleted.is_(False), table.c.customer_id.is_not(None))
    return name, View(name=name, about=about, rows=table, columns=columns, customer=table.c.customer_id, where=kept)


def _of_hub(name: str, table: Table, about: str, personal: tuple[str, ...] = (), /, **abouts: str) -> tuple[str, View]:
    """Rows the hub has made."""
    columns = columns_of(table, personal, **_IDS, **abouts)
    known = (table.c.customer_id.is_not(None),)
    return name, View(name=name, about=about, rows=table, columns=columns, customer=table.c.customer_id, where=known)


_CUSTOMERS = View(
    name="customers",
    about="One row a customer, with its newest scorecard.",
    rows=_customer.outerjoin(_newest, and_(_newest.c.customer_id == _customer.c.id, _newest.c.latest.is_(True))),
    customer=_customer.c.id,
    where=(_customer.c.merged_into_id.is_(None),),
    columns=(
        *columns_of(
            _customer,
            id="Of the customer; other rows call it customer_id.",
            name="What the customer is called.",
            domain="Its main domain.",
            segment="As the CRM says.",
            industry="As the CRM says.",
            country="As the CRM says.",
            employees="How many people work there.",
            csm_email="Whose customer it is.",
            csm_name="Whose customer it is.",
            parent_id="Of the customer it belongs to.",
            became_customer_on="First day as a customer.",
            created_at="When the hub first knew of it.",
        ),
        *columns_of(
            _newest,
            as_of="Day of the newest scorecard.",
            health="0 to 1, higher is healthier; empty where too little is known.",
            band="critical, warning, stable or healthy.",
            coverage="0 to 1: share of the score's weight that live data stand behind.",
            churn_risk="0 to 1: calibrated probability of leaving within the model's horizon.",
            churn_band="minimal, low, medium or high; noticed: has given notice.",
        ),
        _fact("mrr", "Recurring revenue a month, in whole currency units."),
        _fact("days_to_renewal", "Days until the next renewal."),
    ),
)

_SCORES = View(
    name="scores",
    about="One row a customer and day that was scored.",
    rows=_score,
    customer=_score.c.customer_id,
    columns=columns_of(
        _score,
        **_IDS,
        as_of="The day.",
        health="In force on that day, 0 to 1; an override counts.",
        band="In force on that day.",
        computed_health="What the definition made of the facts, 0 to 1.",
        computed_band="The same as a band.",
        previous_band="The band of the scorecard before.",
        coverage="0 to 1: share of the weight that live data stand behind.",
        churn_risk="0 to 1, within the model's horizon.",
        churn_annualised="0 to 1, within a year.",
        churn_band="minimal, low, medium, high or noticed.",
        definition="Name of the definition that scored it.",
        definition_hash="Which version of it.",
        reason="Why there is no score, or not the computed one.",
        computed_at="When it was computed.",
    ),
)

_USAGE = View(
    name="usage",
    about="One row a customer and day of use.",
    rows=_activity,
    customer=_activity.c.customer_id,
    key=("customer_id", "day"),
    where=(_activity.c.deleted.is_(False), _activity.c.customer_id.is_not(None)),
    grouped=(_activity.c.customer_id, _activity.c.day),
    columns=(
        *columns_of(_activity, customer_id=_IDS["customer_id"], day="Day in UTC."),
        Given(
            name="users",
            value=func.count(distinct(_activity.c.user_key)),
            about="Different people who used the product.",
        ),
        Given(name="events", value=func.sum(_activity.c.events), about="Events."),
        Given(name="sessions", value=func.sum(_activity.c.sessions), about="Visits, with gaps of at most 30 minutes."),
        Given(name="minutes", value=func.sum(_activity.c.minutes), about="Length of all sessions together."),
    ),
)

VIEWS: Mapping[str, View] = dict(
    [
        ("customers", _CUSTOMERS),
        ("scores", _SCORES),
        _of_source(
            "contacts",
            tables.contact,
            "People at customers.",
            ("id", "email", "name", "title"),
            email="Their address.",
            name="Their name.",
            title="What they do there.",
            role="champion, executive, or another word of the source.",
            last_seen_at="When the source last saw or met them.",
            created_at="When the source first knew of them.",
        ),
        _of_source(
            "tickets",
            tables.ticket,
            "Support tickets.",
            ("subject", "requester_email", "url"),
            subject="What it is about, in the customer's words.",
            requester_email="Who asked.",
            status="new, open, pending, on_hold, solved or closed.",
            severity="low, normal, high or urgent.",
            created_at="When it was opened.",
            solved_at="When it was solved.",
            first_response_minutes="Calendar minutes to the first answer.",
            resolution_minutes="Calendar minutes to the solution.",
            reopens="How often it was opened again.",
            replies="Answers of ours.",
            url="Where it is in the helpdesk.",
        ),
        _of_source(
            "surveys",
            tables.survey_response,
            "Answers to surveys.",
            ("id", "comment", "respondent_email"),
            type="nps, csat or ces.",
            scale="Lowest and highest possible, such as 0-10.",
            score="On that scale.",
            comment="What they wrote.",
            respondent_email="Who answered.",
            responded_at="When.",
        ),
        _of_source(
            "subscriptions",
            tables.subscription,
            "Terms of subscriptions.",
            plan="Its name.",
            mrr="Recurring revenue a month, in whole units of the currency.",
            currency="ISO 4217.",
            seats_purchased="Seats paid for.",
            seats_used="Seats in use.",
            started_on="First day of the term.",
            renews_on="The day it falls due.",
            ended_on="First day it no longer pays.",
            auto_renew="Whether it renews by itself.",
            status="trial, active, past_due, cancelled or ended.",
            cancelled_at="When notice was given.",
            cancellation_kind="voluntary, involuntary or contraction.",
        ),
        _of_source(
            "invoices",
            tables.invoice,
            "Bills.",
            number="As the customer knows it.",
            amount="In whole units of the currency.",
            currency="ISO 4217.",
            issued_on="Its date.",
            due_on="Last day on which paying it is in time.",
            paid_at="When it was paid.",
            failed_at="When a payment first failed.",
            attempts="How often payment was tried.",
            status="open, paid, failed or void.",
        ),
        _of_source(
            "opportunities",
            tables.opportunity,
            "Deals of the CRM.",
            name="Its name.",
            type="new, renewal or expansion.",
            stage="open, won or lost.",
            stage_name="The CRM's own word for it.",
            amount="A year's value, in whole units of the currency.",
            target_amount="A year's value that was up for renewal.",
            currency="ISO 4217.",
            close_on="When it closes or closed.",
            created_at="When it was made.",
            owner_email="Whose it is.",
        ),
        _of_source(
            "imported_scores",
            tables.imported_score,
            "What other customer success platforms scored customers, beside our own health.",
            name="The platform's own name of the score.",
            value="0 to 1, higher is healthier; empty where the platform has no number for it.",
            raw_value="As the platform gives it, on its scale and in its own direction.",
            scale="Lowest and highest possible, such as 0-100; labels where there are only words.",
            label="The platform's own word or colour.",
            scored_at="From when it was so.",
        ),
        _of_hub(
            "alerts",
            tables.alert,
            "Alerts and tasks.",
            ("title",),
            kind="alert or task.",
            title="What is to be done; what a person wrote may name anybody.",
            severity="As its playbook says.",
            state="open, in_progress or closed.",
            outcome="What came of a closed one.",
            owner_email="Whose it is.",
            due_on="By when.",
            opened_at="When it was opened.",
            closed_at="When it was closed.",
        ),
        _of_hub(
            "renewals",
            tables.renewal,
            "What fell or falls due of a customer on a day.",
            due_on="The day.",
            currency="ISO 4217.",
            status="upcoming, due, overdue, renewed or churned.",
            auto="Whether it renews by itself.",
            arr="What is up for renewal, a year's.",
            target="What the deal asks for, a year's.",
            final="What was agreed, a year's; 0 for what was lost.",
            probability="0 to 1, of being renewed.",
            expected="Probability times target.",
            decided_on="When it was decided.",
        ),
        _of_hub(
            "runs",
            tables.playbook_run,
            "Firings of playbooks.",
            playbook="Its name.",
            playbook_version="Its version.",
            cause="What set it off.",
            state="running, waiting, paused, done, cancelled, failed or held_out.",
            started_at="When it began.",
            finished_at="When it ended.",
        ),
        _of_hub(
            "deliveries",
            tables.delivery,
            "Messages, without their words and addresses.",
            channel="slack, email, pagerduty, webhook or console.",
            state="held, reserved, sent, confirmed, unknown, failed or suppressed.",
            attempts="How often it was tried.",
            reserved_at="When it was written down.",
            sent_at="When it went out.",
            confirmed_at="When its arrival was certain.",
        ),
        ("usage", _USAGE),
    ]
)
