"""SQLite stops counting its memory where nothing of it is in use, and only there."""

import subprocess
import sys

BEGIN = """
import _sqlite3, ctypes, sqlite3
from hub.store.sqlite_memory import stop_counting
used = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
def written(connection):
    connection.execute("CREATE TABLE t (x)")
    connection.execute("INSERT INTO t VALUES (1)")
    return connection.execute("SELECT x FROM t").fetchone() == (1,)
"""
BEFORE = BEGIN + "assert stop_counting() and stop_counting() and written(sqlite3.connect(':memory:')) and used() == 0"
WHILE_OPEN = (
    BEGIN
    + "open_ = sqlite3.connect(':memory:')\nassert not stop_counting() and written(open_) and used() > 0\n"
    + "open_.close()\nassert stop_counting() and written(sqlite3.connect(':memory:')) and used() == 0"
)


def _run(program: str) -> None:
    """In a process of its own: this one has used SQLite already."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_before_its_first_use() -> None:
    _run(BEFORE)


def test_not_while_a_connection_is_open() -> None:
    _run(WHILE_OPEN)
