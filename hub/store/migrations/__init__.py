"""Alembic's folder: `env.py` runs on the connection the caller brings, `versions/` holds the steps."""
