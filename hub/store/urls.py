"""URLs of databases: those that can be opened, and how the drivers want them."""

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.errors import ConfigError, Fault


def parse_url(url: str | URL) -> URL:
    """`url` taken apart; ConfigError where it names no database we speak to. Never says what stands in it: it may hold a
    password."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() in ("sqlite", "postgresql", "postgres"):
            return parsed
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        pass
    choices = ("sqlite:///path/to/cshub.db", "postgresql://user:password@host:5432/name")
    raise ConfigError([Fault("is not the URL of a database the store can use", key="store", choices=choices)])


def for_asyncpg(url: URL) -> URL:
    """The driver calls `ssl` what everybody else's URLs call `sslmode`."""
    query = {"ssl" if name == "sslmode" else name: value for name, value in url.query.items()}
    return url.set(drivername="postgresql+asyncpg", query=query)
