"""The kinds of record that have a time, by the names of `retention:` in hub.yaml: for how long by default, and what is over."""

from collections.abc import Mapping

from sqlalchemy import not_, select

from hub.store import tables
from hub.store.privacy.keeping import Kind, Sweep

_SETTLED = ("confirmed", "failed", "suppressed", "unknown")
_NOT_LATEST = tables.source.c.last_run_id
_LEARNED = "churn models learn from the use of two years, and facts of a day look back 90 days"

KINDS: tuple[Kind, ...] = (
    Kind(
        name="usage",
        about="days of use of the product, by user and by feature: deleted",
        days=1_095,
        least_days=830,
        why_least=_LEARNED,
        sweeps=(
            Sweep(table=tables.user_activity_day, by="day"),
            Sweep(table=tables.feature_usage_day, by="day"),
        ),
    ),
    Kind(
        name="ticket_texts",
        about="subjects of tickets that are solved: taken out; the tickets stay, with every time and severity",
        days=1_095,
        least_days=30,
        why_least="people look back at what was asked this month",
        sweeps=(
            Sweep(
                table=tables.ticket,
                by="created_at",
                take_out=("subject",),
                where=tables.ticket.c.status.in_(["solved", "closed"]),
            ),
        ),
    ),
    Kind(
        name="survey_comments",
        about="comments of answers to surveys, and names on invitations: taken out; scores stay",
        days=1_095,
        least_days=90,
        why_least="detractors are followed up for a quarter",
        sweeps=(
            Sweep(table=tables.survey_response, by="responded_at", take_out=("comment",)),
            Sweep(table=tables.survey_invitation, by="asked_at", take_out=("comment", "name")),
        ),
    ),
    Kind(
        name="left_contacts",
        about="names and titles of contacts that are gone at their source: taken out; roles, and when they went, stay",
        days=730,
        least_days=90,
        why_least="a champion lost counts for 90 days",
        sweeps=(
            Sweep(
                table=tables.contact,
                by="synced_at",
                take_out=("name", "title"),
                where=tables.contact.c.deleted.is_(True),
            ),
        ),
    ),
    Kind(
        name="message_bodies",
        about="subjects and bodies of messages that are settled: taken out; that they were sent, when and where, stays",
        days=365,
        least_days=30,
        why_least="messages may be sent again, and updated where they stand, for weeks",
        sweeps=(
            Sweep(
                table=tables.delivery,
                by="reserved_at",
                take_out=("subject", "payload"),
                where=tables.delivery.c.state.in_(_SETTLED),
            ),
        ),
    ),
    Kind(
        name="run_details",
        about="what steps of playbooks said of what they did: taken out; the runs, steps and their times stay",
        days=1_095,
        least_days=90,
        why_least="runs are looked into while they matter",
        sweeps=(Sweep(table=tables.playbook_step, by="done_at", take_out=("detail",)),),
    ),
    Kind(
        name="quarantine",
        about="rows of sources that could not be read, since they were last seen: deleted",
        days=90,
        least_days=7,
        why_least="somebody has to see them first",
        sweeps=(Sweep(table=tables.quarantine, by="last_seen_at"),),
    ),
    Kind(
        name="raw_rows",
        about="rows of sources as they came: deleted; a source whose raw_log says fewer days keeps its own that long",
        days=365,
        least_days=1,
        why_least="mappings are repaired with them",
        sweeps=(Sweep(table=tables.raw_row, by="at"),),
    ),
    Kind(
        name="source_events",
        about="what vendors told of by webhook, once it is done or was given up: deleted",
        days=14,
        least_days=7,
        why_least="vendors send again for days",
        sweeps=(
            Sweep(
                table=tables.source_event,
                by="received_at",
                where=tables.source_event.c.state.in_(["done", "failed"]),
            ),
        ),
    ),
    Kind(
        name="tracked_acts",
        about="acts in the product that were sent one by one: deleted; their days stay",
        days=40,
        least_days=40,
        why_least="acts of the last 35 days may come late, and their days are summed from all of them",
        sweeps=(Sweep(table=tables.tracked_act, by="at"),),
    ),
    Kind(
        name="webhook_bodies",
        about="bodies of webhooks that came in: taken out; that they came, and what they set off, stays",
        days=90,
        least_days=7,
        why_least="senders send again for days",
        sweeps=(
            Sweep(
                table=tables.hook_event,
                by="received_at",
                take_out=("payload",),
                where=tables.hook_event.c.state.in_(["refused", "done"]),
            ),
        ),
    ),
    Kind(
        name="slack_requests",
        about="what people pressed and typed in Slack, once it is done: deleted",
        days=30,
        least_days=2,
        why_least="Slack sends again what was answered late",
        sweeps=(Sweep(table=tables.slack_request, by="done_at"),),
    ),
    Kind(
        name="bounces",
        about="mail that came back: deleted; who gets no mail stays on the list",
        days=365,
        least_days=30,
        why_least="bounces that pass are counted over weeks",
        sweeps=(Sweep(table=tables.mail_bounce, by="at"),),
    ),
    Kind(
        name="score_readings",
        about="readings of scorecards, reasons of churn risks: of each month's last day they are kept; scores and bands stay",
        days=180,
        least_days=60,
        why_least="explanations compare with a month ago, and a measure may hold its last value",
        sweeps=(
            Sweep(table=tables.scorecard, by="as_of", take_out=("readings",), monthly=True),
            Sweep(table=tables.extra_scorecard, by="as_of", take_out=("readings",), monthly=True),
            Sweep(table=tables.rollup_scorecard, by="as_of", take_out=("parts",), monthly=True),
            Sweep(table=tables.churn_prediction, by="as_of", take_out=("reasons",), monthly=True),
        ),
    ),
    Kind(
        name="score_facts",
        about="facts of scorecards: of each month's last day they are kept; plans of playbooks replay what is there",
        days=400,
        least_days=180,
        why_least="plans of playbooks replay the last months",
        sweeps=(Sweep(table=tables.scorecard, by="as_of", take_out=("facts",), monthly=True),),
    ),
    Kind(
        name="imported_scores",
        about="scores of other customer success platforms: deleted",
        days=None,
        least_days=365,
        why_least="a platform that was left is looked back at for a year",
        sweeps=(Sweep(table=tables.imported_score, by="scored_at"),),
    ),
    Kind(
        name="idempotency",
        about="results of requests, for whoever asks again with the same key: deleted",
        days=30,
        least_days=2,
        why_least="clients try again for a day",
        sweeps=(Sweep(table=tables.idempotency_key, by="at"),),
    ),
    Kind(
        name="sessions",
        about="sessions of the dashboard that have ended: deleted; who signed in stays in the audit log",
        days=1,
        least_days=1,
        why_least="their time is over by the end of a day",
        sweeps=(Sweep(table=tables.web_session, by="expires_at"),),
    ),
    Kind(
        name="syncs",
        about="reports of syncs: deleted, but for the newest of each source",
        days=1_095,
        least_days=830,
        why_least="facts of a past day ask which sources were alive; " + _LEARNED,
        sweeps=(
            Sweep(
                table=tables.sync_run,
                by="started_at",
                where=not_(tables.sync_run.c.id.in_(select(_NOT_LATEST).where(_NOT_LATEST.is_not(None)))),
            ),
        ),
    ),
    Kind(
        name="events",
        about="events for those who watch: deleted; what they tell of stays where it is",
        days=30,
        least_days=1,
        why_least="who was away for a while goes on where they were",
    ),
    Kind(
        name="audit_details",
        about="details of the audit log: taken out; who did what to what, and the chain, stay for ever",
        days=None,
        least_days=2_190,
        why_least="HIPAA (45 CFR 164.316) wants records of six years, and others less",
    ),
)
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
