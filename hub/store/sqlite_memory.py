"""SQLite without its count of the memory it has: by default every allocation takes one lock of the process for that.

Threads that read at the same time queue at that lock, each being slower than one would be alone; without it two of them do
twice the work, and one alone is a tenth faster. Nobody reads the count here.

SQLite takes such a setting only before its first use, so it is shut down and begun anew, while nothing of it is in use.
"""

import _sqlite3
import ctypes
import threading

_COUNTING = 9
"""SQLITE_CONFIG_MEMSTATUS."""
_setting = threading.Lock()
_uncounted = False


def stop_counting() -> bool:
    """Whether this process's SQLite does not count: not where connections are open already, or the library can't be reached."""
    global _uncounted
    with _setting:
        if not _uncounted:
            _uncounted = _stopped()
        return _uncounted


def _stopped() -> bool:
    try:
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))  # the very library that module is linked to
        used, configure = library.sqlite3_memory_used, library.sqlite3_config
        shut_down, begin = library.sqlite3_shutdown, library.sqlite3_initialize
    except (OSError, AttributeError):
        return False
    used.restype = ctypes.c_int64
    configure.argtypes = [ctypes.c_int]  # what follows is variadic, which some machines pass in another way
    if used() != 0 or shut_down() != 0:  # a connection has memory; there is none as long as nothing was allocated
        return False
    try:
        return bool(configure(_COUNTING, ctypes.c_int(0)) == 0)
    finally:
        begin()
