"""Any database SQLAlchemy speaks to, as a source: a query a stream."""
