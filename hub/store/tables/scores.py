"""What scoring made of the facts: a scorecard and churn predictions per customer and as-of day, and the models behind them."""

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from hub.store.tables.base import Json, UtcDateTime, metadata

scorecard = Table(
    "scorecard",
    metadata,
    Column("id", String(60), primary_key=True),  # "<customer_id>:<as_of>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("health", Float),  # 0-1, NULL below the coverage floor
    Column("band", String(20)),
    Column("coverage", Float, nullable=False),
    Column("reason", Text),  # why health is NULL
    Column("previous_band", String(20)),  # band of the scorecard before this one
    Column("churn_risk", Float),  # calibrated probability within churn_horizon_days
    Column("churn_annualised", Float),
    Column("churn_band", String(20)),
    Column("facts", Json, nullable=False),  # {fact: value}
    Column("readings", Json, nullable=False),  # [{measure, group, value, weight, contribution, reason, ...}]
    Column("definition_hash", String(64), nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("latest", Boolean, nullable=False),  # the customer's newest scorecard
    Index("uq_scorecard_customer_id_as_of", "customer_id", "as_of", unique=True),
    # joins a customer to its newest; with the two below alone SQLite reads every newest one for each customer
    Index("ix_scorecard_customer_id_latest", "customer_id", "latest"),
    Index(None, "latest", "health"),
    Index(None, "latest", "churn_risk"),
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
    Column("horizon_days", Integer, nullable=False),
    Column("trained_at", UtcDateTime, nullable=False),
    Column("trained_on_from", Date),
    Column("trained_on_to", Date),
    Column("features", Json, nullable=False),  # names in the model's order
    Column("evaluation", Json, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("artifact", LargeBinary),  # the model file
    Column("champion", Boolean, nullable=False),
)

churn_prediction = Table(
    "churn_prediction",
    metadata,
    Column("id", String(140), primary_key=True),  # "<customer_id>:<as_of>:<model_version>"
    Column("customer_id", ForeignKey("customer.id"), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("model_version", ForeignKey("churn_model.version"), nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("probability", Float, nullable=False),
    Column("annualised", Float, nullable=False),
    Column("band", String(20), nullable=False),
    Column("confidence", String(20), nullable=False),  # "normal" | "low" | "prior"
    Column("reasons", Json, nullable=False),  # [{code, text, feature, value, effect, direction}]
    Column("computed_at", UtcDateTime, nullable=False),
    Index(None, "customer_id", "as_of"),
)
