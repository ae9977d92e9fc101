"""What must never be in an answer, whatever was asked: a schemathesis check (SCHEMATHESIS_HOOKS=tests.audits.checks)."""

import os
import re
from typing import Any

import schemathesis

OTHERS = re.compile(r"Customer (?:00[6-9]|01[01])|c(?:[6-9]|1[01])\.example|bob@cs\.example")
"""What only customers have that are in nobody's book but Bob's; see tests.audits.serving."""
INTERNALS = (
    '"INTERNAL"',
    "Traceback",
    "site-packages",
    "sqlalchemy",
    "sqlite3",
    "asyncpg",
    "psycopg",
    "SELECT ",
    "cshub.db",
    "KeyError",
    "object at 0x",
    'File \\"',
)


@schemathesis.check  # type: ignore[untyped-decorator]  # schemathesis has no types for it
def nothing_of_internals(ctx: Any, response: Any, case: Any) -> None:
    """No 5xx but a time-out, no bug behind a mask, and no word of how the server is made."""
    assert response.status_code < 500 or response.status_code == 504, f"status {response.status_code}"
    found = [each for each in INTERNALS if each in response.text]
    assert not found, f"the answer has {found}: {response.text[:2000]}"
    if os.environ.get("CSHUB_FUZZ_ROLE") == "csm":
        leaked = sorted(set(OTHERS.findall(response.text)) - set(OTHERS.findall(str(case.body) + str(case.query))))
        assert not leaked, f"the answer has {leaked} of another's book: {response.text[:2000]}"
