"""Large texts made again and again have the memory of the last one."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from hub.allocator import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        parts = [b"x" * 400_000 for _ in range(5)]
        b"".join(parts)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
plain = faults()
assert keep_freed_memory()
faults()
kept = faults()
assert kept < 1_000 < plain, (kept, plain)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' C libraries are left as they are")
def test_large_texts_are_made_without_new_pages() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
