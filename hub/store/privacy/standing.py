"""Where personal data lies in what is made of the records: scores, lifecycle, judgement; and in how the hub itself is run."""

from hub.store import tables
from hub.store.privacy.place import CODE, FIGURES, MACHINE, OURS, REFERENCE, STAFF, VENDOR, Does, Place

_DAY = "id customer_id"

PLACES = (
    Place(
        table=tables.sentiment,
        about="how the customer felt to its CSM",
        customer=("customer_id",),
        texts=("reason",),
        plain={REFERENCE: _DAY, STAFF: "by withdrawn_by"},
    ),
    Place(
        table=tables.health_override,
        about="scores that a person put in the place of health",
        customer=("customer_id",),
        texts=("reason",),
        plain={REFERENCE: _DAY, STAFF: "by withdrawn_by"},
    ),
    Place(
        table=tables.note,
        about="notes on the customer",
        customer=("customer_id",),
        texts=("body",),
        plain={REFERENCE: _DAY, STAFF: "by edited_by deleted_by"},
    ),
    Place(
        table=tables.csm_assignment,
        about="whose the customer was, by our own word",
        customer=("customer_id",),
        texts=("reason",),
        plain={REFERENCE: _DAY, STAFF: "csm_email csm_name by ended_by"},
    ),
    Place(
        table=tables.customer_field,
        about="fields of the customer that are our own",
        customer=("customer_id",),
        texts=("value",),
        plain={REFERENCE: "customer_id run_id", CODE: "name", STAFF: "updated_by"},
    ),
    Place(
        table=tables.onboarding_step,
        about="steps of onboardings",
        customer=("onboarding_id", "onboarding"),
        texts=("evidence", "note"),
        plain={REFERENCE: "id onboarding_id", CODE: "name title after state", STAFF: "done_by"},
    ),
    Place(
        table=tables.onboarding,
        about="onboardings",
        customer=("customer_id",),
        texts=("ended_why",),
        plain={REFERENCE: _DAY, CODE: "programme state pace step cause", STAFF: "started_by ended_by"},
    ),
    Place(
        table=tables.renewal_statement,
        about="what people said of renewals",
        customer=("renewal_id", "renewal"),
        texts=("reason",),
        plain={REFERENCE: "id renewal_id", CODE: "status", STAFF: "by withdrawn_by"},
    ),
    Place(
        table=tables.renewal,
        about="renewals",
        customer=("customer_id",),
        texts=("reason",),
        plain={
            REFERENCE: f"{_DAY} terms deal_id",
            CODE: "currency status computed_status probability_by",
            STAFF: "stated_by",
        },
    ),
    Place(
        table=tables.expansion_opportunity,
        about="opportunities to expand",
        customer=("customer_id",),
        texts=("reason",),
        plain={
            REFERENCE: _DAY,
            CODE: "rule kind title state blocked base_plan",
            FIGURES: "evidence",
            STAFF: "decided_by",
        },
    ),
    Place(
        table=tables.scorecard,
        about="scorecards",
        customer=("customer_id",),
        plain={
            REFERENCE: f"{_DAY} override_id",
            CODE: "band computed_band previous_band churn_band definition",
            FIGURES: "reason facts readings",
            MACHINE: "definition_hash",
        },
    ),
    Place(
        table=tables.extra_scorecard,
        about="scorecards of other definitions",
        customer=("customer_id",),
        plain={REFERENCE: _DAY, CODE: "name band", FIGURES: "reason readings", MACHINE: "definition_hash"},
    ),
    Place(
        table=tables.rollup_scorecard,
        about="scorecards of parents",
        customer=("customer_id",),
        company={"note": Does.GONE, "parts": Does.GONE},
        plain={REFERENCE: _DAY, CODE: "method band"},
    ),
    Place(
        table=tables.churn_prediction,
        about="churn risks",
        customer=("customer_id",),
        plain={REFERENCE: f"{_DAY} model_version", CODE: "horizon band confidence", FIGURES: "reasons"},
    ),
    Place(
        table=tables.lifecycle,
        about="where the customer stands",
        customer=("customer_id",),
        plain={
            REFERENCE: "customer_id",
            CODE: "onboarding_state onboarding_pace onboarding_step watch_level churn_level renewal_status renewal_auto "
            "expansion_kind advocacy",
        },
    ),
    Place(
        table=tables.lifecycle_change,
        about="where the customer stood",
        customer=("customer_id",),
        plain={REFERENCE: "customer_id", CODE: "field old new"},
    ),
    Place(
        table=tables.watch,
        about="what the health watch remembers",
        customer=("customer_id",),
        plain={REFERENCE: "customer_id", CODE: "health_level churn_level"},
    ),
    Place(
        table=tables.idempotency_key,
        about="results of requests, kept for whoever asks twice",
        texts=("id", "result"),  # clients make keys up of what they like
        plain={MACHINE: "request_digest"},
        forget=True,
    ),
    Place(
        table=tables.audit_record,
        about="the audit log",
        texts=(
            "detail",
        ),  # held in the chain by a salted digest: hub.store.audit takes it out, nothing here writes to it
        plain={
            REFERENCE: "entry_id token_id subject",
            CODE: "kind action",
            STAFF: "actor",
            MACHINE: "salt detail_digest digest",
        },
    ),
    Place(
        table=tables.event,
        about="events, as subscriptions are told of them",
        customer=("customer_id",),
        plain={REFERENCE: "customer_id subject", CODE: "kind change", FIGURES: "data"},
    ),
    Place(table=tables.event_log, about="how far the log of events has come", exported=False),
    Place(
        table=tables.saved_segment,
        about="segments that people saved",
        texts=("description", "filter"),
        plain={REFERENCE: "id", CODE: "name", STAFF: "owner scope updated_by"},
        exported=False,
    ),
    Place(
        table=tables.api_token,
        about="tokens of the API",
        plain={REFERENCE: "id", CODE: "name role scopes", STAFF: "csm_email", MACHINE: "digest previous_digest"},
        exported=False,
    ),
    Place(
        table=tables.web_session,
        about="sessions of the dashboard",
        plain={
            REFERENCE: "id token_id",
            CODE: "role",
            STAFF: "issuer subject name csm_email",
            MACHINE: "digest token_digest",
        },
        exported=False,
    ),
    Place(table=tables.executor, about="processes", plain={MACHINE: "id"}, exported=False),
    Place(
        table=tables.health_definition,
        about="definitions of health",
        plain={MACHINE: "hash", OURS: "content"},
        exported=False,
    ),
    Place(
        table=tables.churn_model,
        about="churn models: trees over facts, of which no leaf holds a row",
        plain={MACHINE: "version", CODE: "kind horizon role", OURS: "features evaluation parameters artifact"},
        exported=False,
    ),
    Place(
        table=tables.model_promotion,
        about="which models were promoted",
        texts=("reason",),
        plain={REFERENCE: "id version previous", CODE: "horizon kind", STAFF: "by", OURS: "comparison"},
        exported=False,
    ),
    Place(
        table=tables.drift_reading,
        about="drift of models",
        plain={REFERENCE: "id model_version", CODE: "horizon kind name level", FIGURES: "detail"},
        exported=False,
    ),
    Place(table=tables.signing_key, about="keys", plain={CODE: "name", MACHINE: "key"}, exported=False),
    Place(
        table=tables.stored_secret,
        about="secrets of sources, encrypted",
        plain={CODE: "name", MACHINE: "token key_id", STAFF: "set_by"},
        exported=False,
    ),
    Place(
        table=tables.written_value,
        about="what was written back to sources",
        texts=("error",),
        plain={VENDOR: "id key", CODE: "source", FIGURES: "values"},
    ),
    Place(
        table=tables.rest_hook,
        about="automation tools that are told of events",
        plain={REFERENCE: "id token_id", CODE: "event", STAFF: "actor book ended_by"},
        exported=False,
    ),
    Place(
        table=tables.tombstone,
        about="keyed hashes of who was erased",
        plain={MACHINE: "hash pseudonym", CODE: "kind"},
        exported=False,
    ),
    Place(
        table=tables.erasure,
        about="reports of erasures",
        plain={
            REFERENCE: "id",
            MACHINE: "subject_hash",
            CODE: "subject state",
            STAFF: "asked_by",
            FIGURES: "counts left",
            "whom a running erasure is about; emptied with its last step": "work after",
        },
        exported=False,
    ),
    Place(
        table=tables.retention_run,
        about="what ran out of its time",
        plain={REFERENCE: "id", FIGURES: "counts"},
        exported=False,
    ),
)
