"""What was done: alerts (calls for human action), playbook runs with their steps, and the delivery ledger."""

from sqlalchemy import Column, Date, Float, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from hub.store.tables.base import Json, UtcDateTime, metadata

alert = Table(
    "alert",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("kind", String(20), nullable=False),  # "alert" | "task"
    Column("title", Text, nullable=False),
    Column("reason", Text),
    Column("reason_key", String(60)),  # of its playbook: one open call for a customer and reason; NULL: none joins it
    Column("severity", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("outcome", String(20)),
    Column("owner_email", String(254)),
    Column("due_on", Date),
    Column("snoozed_until", UtcDateTime),
    Column("note", Text),
    Column("changed_by", String(254)),  # who changed it last
    Column("run_id", ForeignKey("playbook_run.id")),
    Column("dedup_key", String(300), nullable=False, unique=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Index(None, "customer_id", "opened_at"),
    Index(None, "state", "opened_at"),
    Index(None, "run_id"),
)

playbook_run = Table(
    "playbook_run",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("playbook", String(120), nullable=False),
    Column("playbook_version", Integer, nullable=False),
    # the playbook as it stood when the run began: kept once for all runs of it; `definition` is of runs from before that
    Column("definition_hash", String(64)),
    Column("definition", Json, nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("episode", String(200), nullable=False),  # what set it off; unique per playbook and customer
    Column("cause", String(20), nullable=False),  # "scorecard" | "hand" | "playbook" | …, see hub.playbooks.triggers
    Column("started_by", String(254)),
    Column("state", String(20), nullable=False),
    Column("step", Integer, nullable=False),  # the program counter: index of the step to do next
    Column("fence", Integer, nullable=False),  # goes up with every move; an advance names the one it expects
    Column("wake_at", UtcDateTime),
    # of a step that takes more than one move: "date" | "condition" | "approval" | "delivery", and since when
    Column("awaits", String(20)),
    Column("since", UtcDateTime),
    Column("facts", Json, nullable=False),  # as they were when it fired
    Column("error", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("playbook", "customer_id", "episode"),
    Index(None, "state", "wake_at"),
    Index(None, "customer_id", "started_at"),
)

playbook_step = Table(
    "playbook_step",
    metadata,
    Column("id", String(80), primary_key=True),  # "<run_id>:<index>"
    Column("run_id", ForeignKey("playbook_run.id"), nullable=False),
    Column("index", Integer, nullable=False),
    Column("action", String(20), nullable=False),
    Column("state", String(20), nullable=False),  # "done" | "skipped" | "failed"
    Column("detail", Text),
    Column("done_at", UtcDateTime, nullable=False),
    Index(None, "run_id", "index"),
)

playbook_definition = Table(
    "playbook_definition",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("playbook", String(120), nullable=False),
    Column("version", Integer, nullable=False),
    Column("definition", Json, nullable=False),  # all of the file but its examples
    Column("first_used_at", UtcDateTime, nullable=False),
    Index(None, "playbook", "first_used_at"),
)
"""Every version of a playbook that ever had a run, kept for ever: runs finish on the one they began with."""

playbook_stop = Table(
    "playbook_stop",
    metadata,
    Column("playbook", String(120), primary_key=True),  # "*": all of them
    Column("reason", Text, nullable=False),
    Column("stopped_by", String(254), nullable=False),
    Column("stopped_at", UtcDateTime, nullable=False),
)
"""The kill switch: while a row is here the playbook fires for nobody, its runs stand still and its messages stay."""

approval = Table(
    "approval",
    metadata,
    Column("id", String(80), primary_key=True),  # "<run_id>:<step>"
    Column("run_id", ForeignKey("playbook_run.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("question", Text, nullable=False),
    Column("asked_of", String(254)),
    Column("state", String(20), nullable=False),  # "open" | "approved" | "declined" | "expired" | "cancelled"
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(254)),
    Column("note", Text),
    Index(None, "run_id"),
    Index(None, "state", "asked_at"),
)
"""A person's word that a run waits for, asked for once a step."""

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("dedup_key", String(300), nullable=False, unique=True),
    Column("run_id", ForeignKey("playbook_run.id")),
    Column("customer_id", ForeignKey("customer.id")),
    Column("channel", String(20), nullable=False),
    Column("address", Text, nullable=False),
    Column("subject", Text),
    Column("payload", Json, nullable=False),  # rendered: exactly what is sent
    Column("state", String(20), nullable=False),
    Column("step", Integer),  # index of the run's step that made it
    # as the step says: how often it is tried, and how long after a try that failed; NULL: as the ledger does of itself
    Column("most_attempts", Integer),
    Column("pause_seconds", Integer),
    Column("receipt", Json),  # what the channel answered: Slack's (channel, ts), the Message-ID
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("reserved_at", UtcDateTime, nullable=False),
    Column("claimed_by", String(60)),
    Column("not_before", UtcDateTime),
    Column("expires_at", UtcDateTime),  # tried no longer; set by who reserved it, or with the first attempt
    Column("doubted_at", UtcDateTime),  # since when it may have arrived, where the channel takes the same message again
    Column("sent_at", UtcDateTime),
    Column("confirmed_at", UtcDateTime),
    # whose attention it takes and what became of it for that; see hub.attention
    Column("audience", String(20)),  # "csm" | "team" | "customer" | "system"; NULL: no playbook's
    Column("owner_email", String(254)),  # of "csm"
    Column("severity", String(20)),
    Column("reason_key", String(60)),
    Column("rank", Float),  # churn risk times a year's revenue
    Column("held", String(20)),  # "hours" | "digest" | "merged" | "snoozed"
    Column("held_by", String(60)),  # the digest or the earlier message that says it, or the snooze
    Column("counts_on", Date),  # the day of its CSM on which it takes one of the day's places
    Column("turn_at", UtcDateTime),  # its place in the order of sending: when it was reserved, unless more is at stake
    Index(None, "state", "turn_at", "id"),
    Index(None, "state", "channel", "address", "turn_at"),
    Index(None, "state", "not_before"),
    Index(None, "owner_email", "counts_on"),
    Index(None, "held", "reserved_at"),
    Index(None, "held_by"),
    Index(None, "sent_at"),
    Index(None, "customer_id", "reserved_at"),
    Index(None, "run_id"),
)

delivery_endpoint = Table(
    "delivery_endpoint",  # how addresses fare that may be disabled; one that never failed has no row
    metadata,
    Column("id", String(200), primary_key=True),  # "<channel>:<address>"
    Column("channel", String(20), nullable=False),
    Column("address", Text, nullable=False),
    Column("failures", Integer, nullable=False),  # since the last success
    Column("failing_since", UtcDateTime),
    Column("error", Text),  # of the newest failure
    Column("disabled_at", UtcDateTime),
    Column("enabled_at", UtcDateTime),
    Column("enabled_by", String(254)),
)
