"""The C library's memory, set for a process that makes large texts again and again: what it has been given, it keeps.

glibc hands every large text's memory back to the system when it is done with, and asks for it again for the next one: page by
page, which takes a sixth of the time of an answer of 200 KB. Other C libraries are left as they are.
"""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT = 64 * 2**20
"""Bytes that may be free at the top of the heap before they are handed back."""
LARGEST = 8 * 2**20
"""Bytes of one text that is put on the heap; what is larger has memory of its own, for as long as it lives."""


def keep_freed_memory() -> bool:
    """Whether the C library was told."""
    try:
        tell = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(tell(_TRIM_THRESHOLD, KEPT) and tell(_MMAP_THRESHOLD, LARGEST))
