"""The timeline of customers: everything that happened to them, newest first, read from the tables it is kept in.

`part`       what one kind of entry is: a declaration
`sources`    kinds that the sources tell of
`hub`        kinds that the hub found or did
`people`     kinds that our own people said or decided
`statement`  one statement over the parts: some entries of each of some customers, going on after a place

A new kind is one more `Part` in one of the lists, or in a list of its own named in `PARTS`.
"""

from collections.abc import Mapping

from hub.store.timeline import hub, people, sources
from hub.store.timeline.part import Part

PARTS: Mapping[str, Part] = {part.kind: part for part in (*hub.PARTS, *sources.PARTS, *people.PARTS)}
"""The kinds of entries, by name."""

__all__ = ["PARTS", "Part"]
