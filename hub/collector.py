"""Python's garbage collector, set for a process that makes millions of short-lived rows and has a large code base loaded.

By default it looks through everything again for every 700 new objects: a page of a thousand rows sets it off dozens of
times, and a sync spends a third of its time there.
"""

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 50


def relax_collector() -> None:
    """Leave out what is loaded already, and look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
