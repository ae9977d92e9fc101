"""Every table, as SQLAlchemy Core; nothing outside `hub.store` writes to one.

`records`     what the sources say, and who they mean by it
`judgement`   what CSMs say beside it
`scores`      what scoring made of both, per as-of day
`lifecycle`   where each customer stands in its life with us
`onboarding`  onboardings and their steps
`renewal`     what falls due of whom, and what became of it
`expansion`   opportunities to expand
`advocacy`    whom the hub asked for an answer to a survey
`identity`    which customer became part of which
`people`      notes of customers, and whose they are
`custom`      fields of customers that are the hub's own
`actions`     what was done about it
`rest`        since when each playbook leaves each customer alone
`holdout`     who was kept untreated by which playbook, by lot
`hooks`       what other systems told us by webhook
`resthooks`   who asked to be told of events over HTTP
`attention`   what was left undone, for people's attention, and what they thought of the rest
`session`     who is signed in to the dashboard
`signing`     keys the hub made for itself
`slack`       what people asked of us in Slack, and where we spoke of whom
`mail`        who may not be written to, and which mail came back
`privacy`     keyed hashes of who was erased, reports of erasures, secrets at rest
`segments`    conditions on customers that people gave a name
`watch`       what the health watch remembers between scorings
`audit`       who asked for what, who read what, and what came of it
`events`      what happened, as those who watch are told
`operations`  how the hub itself is doing: syncs, bookmarks, quarantine, tokens
"""

from hub.store.tables.actions import (
    alert,
    approval,
    delivery,
    delivery_endpoint,
    playbook_definition,
    playbook_run,
    playbook_step,
    playbook_stop,
)
from hub.store.tables.advocacy import survey_invitation
from hub.store.tables.attention import snooze, vote, withheld_call
from hub.store.tables.audit import audit_record
from hub.store.tables.base import metadata
from hub.store.tables.custom import customer_field
from hub.store.tables.events import event, event_log
from hub.store.tables.expansion import expansion_opportunity
from hub.store.tables.holdout import playbook_assignment
from hub.store.tables.hooks import hook_event
from hub.store.tables.identity import customer_merge
from hub.store.tables.judgement import health_override, sentiment
from hub.store.tables.lifecycle import lifecycle, lifecycle_change
from hub.store.tables.mail import mail_bounce, suppression
from hub.store.tables.onboarding import onboarding, onboarding_step
from hub.store.tables.operations import (
    api_token,
    bookmark,
    executor,
    idempotency_key,
    quarantine,
    source,
    sync_run,
)
from hub.store.tables.people import csm_assignment, note
from hub.store.tables.privacy import erasure, retention_run, stored_secret, tombstone
from hub.store.tables.records import (
    RECORD_TABLES,
    contact,
    customer,
    external_id,
    feature_usage_day,
    field_change,
    imported_score,
    invoice,
    opportunity,
    subscription,
    survey_response,
    ticket,
    user_activity_day,
)
from hub.store.tables.renewal import renewal, renewal_statement
from hub.store.tables.rest import playbook_rest
from hub.store.tables.resthooks import rest_hook
from hub.store.tables.scores import (
    churn_model,
    churn_prediction,
    drift_reading,
    extra_scorecard,
    health_definition,
    model_promotion,
    rollup_scorecard,
    scorecard,
)
from hub.store.tables.segments import saved_segment
from hub.store.tables.session import web_session
from hub.store.tables.signing import signing_key
from hub.store.tables.slack import slack_home, slack_message, slack_request, slack_thread
from hub.store.tables.sources import raw_row, source_event, stream_day, stream_state
from hub.store.tables.tracking import tracked_act, tracked_user
from hub.store.tables.watch import watch
from hub.store.tables.writeback import written_value

__all__ = [
    "RECORD_TABLES",
    "alert",
    "api_token",
    "approval",
    "audit_record",
    "bookmark",
    "churn_model",
    "churn_prediction",
    "contact",
    "csm_assignment",
    "customer",
    "customer_field",
    "customer_merge",
    "delivery",
    "delivery_endpoint",
    "drift_reading",
    "erasure",
    "event",
    "event_log",
    "executor",
    "expansion_opportunity",
    "external_id",
    "extra_scorecard",
    "feature_usage_day",
    "field_change",
    "health_definition",
    "health_override",
    "hook_event",
    "idempotency_key",
    "imported_score",
    "invoice",
    "lifecycle",
    "lifecycle_change",
    "mail_bounce",
    "metadata",
    "model_promotion",
    "note",
    "onboarding",
    "onboarding_step",
    "opportunity",
    "playbook_assignment",
    "playbook_definition",
    "playbook_rest",
    "playbook_run",
    "playbook_step",
    "playbook_stop",
    "quarantine",
    "raw_row",
    "renewal",
    "renewal_statement",
    "rest_hook",
    "retention_run",
    "rollup_scorecard",
    "saved_segment",
    "scorecard",
    "sentiment",
    "signing_key",
    "slack_home",
    "slack_message",
    "slack_request",
    "slack_thread",
    "snooze",
    "source",
    "source_event",
    "stored_secret",
    "stream_day",
    "stream_state",
    "subscription",
    "suppression",
    "survey_invitation",
    "survey_response",
    "sync_run",
    "ticket",
    "tombstone",
    "tracked_act",
    "tracked_user",
    "user_activity_day",
    "vote",
    "watch",
    "web_session",
    "withheld_call",
    "written_value",
]
