"""Where personal data lies in what the sources say: records, the log of their changes, and what waits in quarantine.

Records of a person stay as rows without the person, so that counts of users, tickets and answers are what they were.
"""

from hub.store import tables
from hub.store.privacy.place import CODE, COMPANY, FIGURES, MACHINE, REFERENCE, STAFF, VENDOR, Does, Place, Whose

_RECORD = "id key"
_OF_COMPANY = {"company_key": Does.GONE}

PLACES = (
    Place(
        table=tables.source_event,
        about="what vendors told of by webhook, with rows they sent that have not landed yet",
        texts=("key", "event_id", "raw", "error"),
        plain={MACHINE: "id", CODE: "source stream state"},
        forget=True,
    ),
    Place(
        table=tables.raw_row,
        about="rows of sources as they came",
        texts=("key", "raw"),
        plain={REFERENCE: "id run_id", CODE: "source stream"},
        forget=True,
    ),
    Place(
        table=tables.quarantine,
        about="rows of sources that could not be read, as the source sent them",
        texts=("id", "key", "reason", "raw"),
        plain={CODE: "source stream field"},
        forget=True,
    ),
    Place(
        table=tables.field_change,
        about="what sources changed of contacts and companies",
        own={"record_id": Whose.RECORD},
        personal={"record_id": Does.RECORD},
        texts=("before", "after"),
        texts_of={
            "field": frozenset({"title"})
        },  # roles, and when somebody was last seen, are what facts of the past rest on
        plain={CODE: "kind field"},
    ),
    Place(
        table=tables.user_activity_day,
        about="days of use of the product, by user",
        own={"user_key": Whose.USER},
        customer=("customer_id",),
        personal={"id": Does.RECORD, "key": Does.KEY, "user_key": Does.PSEUDONYM},
        company=_OF_COMPANY,
        plain={CODE: "source", REFERENCE: "customer_id"},
    ),
    Place(
        table=tables.tracked_act,
        about="acts in the product, as long as their days may get more",
        own={"user_key": Whose.USER},
        personal={"user_key": Does.PSEUDONYM},
        company=_OF_COMPANY,
        texts=("name",),
        plain={MACHINE: "id", CODE: "source"},
    ),
    Place(
        table=tables.tracked_user,
        about="users of the product, as tracking programs told of them",
        own={"user_key": Whose.USER, "email": Whose.EMAIL},
        personal={
            "id": Does.RECORD,
            "user_key": Does.PSEUDONYM,
            "email": Does.PSEUDONYM,
            "name": Does.GONE,
            "title": Does.GONE,
        },
        company=_OF_COMPANY,
        plain={CODE: "source"},
        delete=True,
    ),
    Place(
        table=tables.feature_usage_day,
        about="days of use of the product, by feature",
        customer=("customer_id",),
        company={"id": Does.RECORD, "key": Does.KEY, **_OF_COMPANY},
        plain={CODE: "source feature", REFERENCE: "customer_id"},
    ),
    Place(
        table=tables.ticket,
        about="support tickets",
        own={"requester_email": Whose.EMAIL},
        customer=("customer_id",),
        personal={"requester_email": Does.PSEUDONYM},
        company=_OF_COMPANY,
        texts=("subject", "url"),
        plain={CODE: "source status severity", REFERENCE: "customer_id", VENDOR: _RECORD},
    ),
    Place(
        table=tables.survey_response,
        about="answers to surveys",
        own={"respondent_email": Whose.EMAIL},
        customer=("customer_id",),
        personal={"respondent_email": Does.PSEUDONYM},
        company=_OF_COMPANY,
        texts=("comment",),
        plain={CODE: "source type scale", REFERENCE: "customer_id", VENDOR: f"{_RECORD} ticket_key"},
    ),
    Place(
        table=tables.subscription,
        about="terms of subscriptions",
        customer=("customer_id",),
        company=_OF_COMPANY,
        plain={CODE: "source plan currency status cancellation_kind", REFERENCE: "customer_id", VENDOR: _RECORD},
    ),
    Place(
        table=tables.invoice,
        about="invoices",
        customer=("customer_id",),
        company={"number": Does.GONE, **_OF_COMPANY},
        plain={CODE: "source currency status", REFERENCE: "customer_id", VENDOR: _RECORD},
    ),
    Place(
        table=tables.opportunity,
        about="deals of the CRM",
        customer=("customer_id",),
        company=_OF_COMPANY,
        texts=("name",),
        plain={
            CODE: "source type stage stage_name currency",
            REFERENCE: "customer_id",
            VENDOR: _RECORD,
            STAFF: "owner_email",
        },
    ),
    Place(
        table=tables.imported_score,
        about="scores of another customer success platform",
        customer=("customer_id",),
        company=_OF_COMPANY,
        plain={CODE: "source name scale label", REFERENCE: "customer_id", VENDOR: _RECORD},
    ),
    Place(
        table=tables.contact,
        about="contacts",
        own={"id": Whose.RECORD, "email": Whose.EMAIL},
        customer=("customer_id",),
        personal={
            "id": Does.RECORD,
            "key": Does.KEY,
            "email": Does.PSEUDONYM,
            "name": Does.GONE,
            "title": Does.GONE,
        },
        company=_OF_COMPANY,
        plain={CODE: "source role", REFERENCE: "customer_id"},
    ),
    Place(
        table=tables.external_id,
        about="companies as the sources know them",
        customer=("customer_id",),
        company={
            "id": Does.RECORD,
            "key": Does.KEY,
            "company_key": Does.GONE,
            "name": Does.GONE,
            "domains": Does.GONE,
            "external_key": Does.GONE,
            "parent_key": Does.GONE,
            "reason": Does.GONE,
        },
        plain={
            CODE: "source state method",
            REFERENCE: "customer_id candidates",
            COMPANY: "segment industry country",
            STAFF: "csm_email csm_name decided_by",
        },
    ),
    Place(
        table=tables.customer,
        about="the customer",
        customer=("id",),
        company={"name": Does.WORD, "domain": Does.GONE},
        plain={
            REFERENCE: "id parent_id merged_into_id",
            COMPANY: "segment industry country",
            STAFF: "csm_email csm_name",
        },
    ),
    Place(
        table=tables.customer_merge,
        about="customers that were found to be one",
        customer=("kept_id",),
        texts=("reason", "evidence"),
        plain={REFERENCE: "id kept_id merged_id moved", STAFF: "by undone_by"},
    ),
    Place(
        table=tables.source,
        about="sources",
        plain={CODE: "name connector", MACHINE: "locked_by", REFERENCE: "last_run_id", FIGURES: "quotas"},
        exported=False,
    ),
    Place(
        table=tables.bookmark,
        about="how far each stream has come",
        plain={CODE: "id source stream", MACHINE: "value"},
        exported=False,
    ),
    Place(
        table=tables.sync_run,
        about="syncs",
        plain={REFERENCE: "id", CODE: "source state", FIGURES: "streams error"},
        exported=False,
    ),
    Place(
        table=tables.stream_state,
        about="how true each stream is",
        plain={CODE: "id source stream makes check_way", FIGURES: "check_error"},
        exported=False,
    ),
    Place(
        table=tables.stream_day,
        about="how true each stream was, by day",
        plain={CODE: "id source stream makes"},
        exported=False,
    ),
)
