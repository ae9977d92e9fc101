"""What scoring made of the facts: a scorecard and churn predictions per customer and as-of day, and the models behind them."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from hub.store.tables.base import Json, UtcDateTime, metadata

scorecard = Table(
    "scorecard",
    metadata,
    Column("id", String(60), primary_key=True),  # "<customer_id>:<as_of>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("health", Float),  # in force, an override included; 0-1, NULL below the coverage floor
    Column("band", String(20)),
    Column("computed_health", Float),  # what the definition makes of the facts
    Column("computed_band", String(20)),
    Column("coverage", Float, nullable=False),
    Column("reason", Text),  # why health is NULL, or not what was computed
    Column("override_id", String(60)),  # the health_override in force
    Column("previous_band", String(20)),  # band of the scorecard before this one
    Column("churn_risk", Float),  # calibrated probability within churn_horizon_days
    Column("churn_annualised", Float),
    Column("churn_band", String(20)),
    Column("facts", Json, nullable=False),  # {fact: value}
    Column("readings", Json, nullable=False),  # [{measure, group, value, weight, contribution, reason, ...}]
    Column("definition", String(60), nullable=False, server_default="main"),  # its name
    Column("definition_hash", String(64), nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("latest", Boolean, nullable=False),  # the customer's newest scorecard
    Index("uq_scorecard_customer_id_as_of", "customer_id", "as_of", unique=True),
    # joins a customer to its newest; with the two below alone SQLite reads every newest one for each customer
    Index("ix_scorecard_customer_id_latest", "customer_id", "latest"),
    # the few days on which a band changed, of a customer's hundreds
    Index(
        "ix_scorecard_band_changed",
        "customer_id",
        "as_of",
        sqlite_where=text("previous_band <> band"),
        postgresql_where=text("previous_band <> band"),
    ),
    Index(None, "latest", "health"),
    Index(None, "latest", "churn_risk"),
    Index(None, "as_of"),
)

extra_scorecard = Table(
    "extra_scorecard",
    metadata,
    Column("id", String(130), primary_key=True),  # "<customer_id>:<as_of>:<name>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("name", String(60), nullable=False),  # of the definition
    Column("health", Float),  # as computed; 0-1, NULL below the coverage floor
    Column("band", String(20)),
    Column("coverage", Float, nullable=False),
    Column("reason", Text),
    Column("readings", Json, nullable=False),  # as in scorecard; the facts are those of the day's scorecard
    Column("definition_hash", String(64), nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("latest", Boolean, nullable=False),  # the customer's newest of this name
    Index("uq_extra_scorecard_customer_id_name_as_of", "customer_id", "name", "as_of", unique=True),
    Index(None, "customer_id", "latest"),
    Index(None, "as_of"),
    # the newest of everybody, of each customer's hundreds
    Index("ix_extra_scorecard_newest", "as_of", sqlite_where=text("latest = 1"), postgresql_where=text("latest")),
)

rollup_scorecard = Table(
    "rollup_scorecard",
    metadata,
    Column("id", String(60), primary_key=True),  # "<customer_id>:<as_of>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),  # a parent
    Column("as_of", Date, nullable=False),
    Column("method", String(10), nullable=False),  # "value" | "mean" | "worst"
    Column("health", Float),  # of what is in force below it, itself included; NULL where nothing has a score
    Column("band", String(20)),
    Column("customers", Integer, nullable=False),  # how many scorecards it was made of
    Column("note", Text),  # what stands in the way of the method, or of a score
    Column("parts", Json, nullable=False),  # [{customer_id, name, score, weight, contribution}]
    Column("computed_at", UtcDateTime, nullable=False),
    Column("latest", Boolean, nullable=False),  # the parent's newest
    Index("uq_rollup_scorecard_customer_id_as_of", "customer_id", "as_of", unique=True),
    Index(None, "customer_id", "latest"),
    Index(None, "as_of"),
)

health_definition = Table(
    "health_definition",
    metadata,
    Column("hash", String(64), primary_key=True),  # the definition_hash of scorecards
    Column("content", Json, nullable=False),  # scoring.definition_record
    Column("kept_at", UtcDateTime, nullable=False),
)

churn_model = Table(
    "churn_model",
    metadata,
    Column("version", String(60), primary_key=True),
    Column("kind", String(20), nullable=False),  # "xgboost" | "prior"
    Column("horizon", String(12), nullable=False, server_default="90d"),  # "30d" | "60d" | "90d" | "renewal"
    Column("horizon_days", Integer),  # NULL for renewal
    Column("trained_at", UtcDateTime, nullable=False),
    Column("trained_on_from", Date),
    Column("trained_on_to", Date),
    Column("features", Json, nullable=False),  # names in the model's order
    Column("evaluation", Json, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("artifact", LargeBinary),  # the model file
    # "champion": shown; "challenger": predicts beside it; "candidate": kept, not used; "retired": was one of them
    Column("role", String(12), nullable=False, server_default="candidate"),
    Column("promoted_at", UtcDateTime),  # when it last became the champion
    Index(None, "horizon", "role"),
)

churn_prediction = Table(
    "churn_prediction",
    metadata,
    Column("id", String(140), primary_key=True),  # "<customer_id>:<as_of>:<model_version>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("model_version", ForeignKey("churn_model.version"), nullable=False),
    Column("horizon", String(12), nullable=False, server_default="90d"),  # "30d" | "60d" | "90d" | "renewal"
    Column("horizon_days", Integer),  # NULL: until the renewal
    Column("shown", Boolean, nullable=False, server_default=text("true")),  # a champion's
    Column("main", Boolean, nullable=False, server_default=text("true")),  # the one the scorecard has
    Column("latest", Boolean, nullable=False, server_default=text("false")),  # of the customer's newest scorecard
    Column("probability", Float),  # NULL of who gave notice: they are leaving, not at risk
    Column("annualised", Float),
    Column("band", String(20), nullable=False),
    Column("confidence", String(20), nullable=False),  # "normal" | "low" | "prior" | "noticed"
    Column("reasons", Json, nullable=False),  # [{code, text, feature, value, effect, direction}]
    Column("computed_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "as_of"),
    Index(None, "customer_id", "latest"),
    Index(None, "model_version", "as_of"),
    # those of everybody's newest scorecards, of each customer's thousands
    Index("ix_churn_prediction_newest", "as_of", sqlite_where=text("latest = 1"), postgresql_where=text("latest")),
)

model_promotion = Table(
    "model_promotion",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("horizon", String(12), nullable=False),
    Column("version", ForeignKey("churn_model.version"), nullable=False),
    Column("previous", ForeignKey("churn_model.version")),  # whose place it took
    Column("kind", String(20), nullable=False),  # "automatic" | "by_hand" | "forced" | "rollback"
    Column("by", String(254), nullable=False),
    Column("reason", Text),
    Column("comparison", Json),  # the numbers it rests on, NULL where none could be had
    Column("at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),  # by a rollback
    Index(None, "horizon", "at"),
)

drift_reading = Table(
    "drift_reading",
    metadata,
    Column("id", String(300), primary_key=True),  # "<model_version>:<as_of>:<kind>:<name>"
    Column("model_version", ForeignKey("churn_model.version"), nullable=False),
    Column("horizon", String(12), nullable=False),
    Column("as_of", Date, nullable=False),  # the day whose customers, or predictions, were looked at
    Column("kind", String(20), nullable=False),  # "psi" | "calibration" | "roc_auc"
    Column("name", String(160), nullable=False),  # the feature, or "score"
    Column("value", Float, nullable=False),
    Column("warn", Float),  # what it was held against
    Column("act", Float),
    Column("level", String(10), nullable=False),  # "unused" | "steady" | "warn" | "act"
    Column("customers", Integer, nullable=False),
    Column("detail", Json, nullable=False),
    Column("checked_at", UtcDateTime, nullable=False),
    Index(None, "model_version", "as_of"),
    Index(None, "horizon", "checked_at"),
)
