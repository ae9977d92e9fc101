"""What a health definition must fulfil beyond its shape: known measures, weights that add up, bands
that meet, steps that rise, and an age where there is a limit to it.

The rules read the raw document and skip what has the wrong shape, so that their faults can be told together with those of
the shape (scoring.definition_file), not one after the other.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeGuard

from hub.documents import Document
from hub.errors import Fault
from hub.model.actions import Band
from scoring.definition_file import is_group
from scoring.measure import Measure

TOLERANCE = 1e-6
Key = tuple[str | int, ...]


def faults_of(document: Document, measures: Mapping[str, Measure]) -> list[Fault]:
    """Everything wrong in `document` that its shape doesn't show."""
    if not isinstance(document.value, dict):
        return []
    seen: dict[str, Key] = {}
    groups, bands = document.value.get("groups"), document.value.get("bands")
    return [*_tree(document, groups, ("groups",), measures, seen), *_bands(document, bands)]


def _tree(
    document: Document, children: Any, at: Key, measures: Mapping[str, Measure], seen: dict[str, Key]
) -> Iterator[Fault]:
    if not isinstance(children, dict):
        return
    given = [child.get("weight") if isinstance(child, dict) else None for child in children.values()]
    weights = [weight for weight in given if _is_number(weight)]
    if weights and len(weights) == len(given) and abs(math.fsum(weights) - 1) > TOLERANCE:
        names = ", ".join(f"{name} {weight}" for name, weight in zip(children, weights, strict=True))
        yield document.fault(f"the weights must add up to 1, and make {math.fsum(weights):g} ({names})", key=at)
    for name, child in children.items():
        key = (*at, str(name))
        if is_group(child):
            yield from _tree(document, child["of"], (*key, "of"), measures, seen)
        elif name not in measures:
            yield document.fault(f"there is no measure {name!r}", key=key, choices=sorted(measures))
        elif name in seen:
            first = document.line(seen[name])
            yield document.fault(f"measure {name!r} stands in the tree already, in line {first}", key=key)
        else:
            seen[name] = key
        if isinstance(child, dict) and not is_group(child):
            yield from _measure(document, child, key, measures.get(name))


def _measure(document: Document, spec: dict[str, Any], at: Key, measure: Measure | None) -> Iterator[Fault]:
    if measure is not None and measure.age is None and spec.get("stale_after_days") is not None:
        message = f"nothing says how old the data of {measure.name!r} is, so there can be no limit to its age"
        yield document.fault(message, key=(*at, "stale_after_days"))
    steps = spec.get("by_tenure")
    if steps is not None and spec.get("curve") is not None:
        yield document.fault("has a curve and curves by tenure; one of them must go", key=(*at, "by_tenure"))
    each_step = steps if isinstance(steps, list) else []
    starts = [step.get("from_days") if isinstance(step, dict) else None for step in each_step]
    if starts and _is_number(starts[0]) and starts[0] != 0:
        yield document.fault("the first step begins at 0", key=(*at, "by_tenure", 0, "from_days"))
    for number, (earlier, later) in enumerate(pairwise(starts), start=1):
        if _is_number(earlier) and _is_number(later) and later <= earlier:
            message = f"steps must rise, and this one begins at {later:g} after one at {earlier:g}"
            yield document.fault(message, key=(*at, "by_tenure", number, "from_days"))


def _bands(document: Document, bands: Any) -> Iterator[Fault]:
    specs = [bands.get(band.value) if isinstance(bands, dict) else None for band in Band]
    starts = [spec.get("from") if isinstance(spec, dict) else None for spec in specs]
    ends = [spec.get("below") if isinstance(spec, dict) else None for spec in specs]
    names = [band.value for band in Band]
    if starts[0] is not None and starts[0] != 0:
        yield document.fault("the lowest band begins at 0", key=("bands", names[0], "from"))
    for i, (lower, upper) in enumerate(pairwise(names)):
        end, start = ends[i], starts[i + 1]
        if specs[i] is not None and end is None:
            yield document.fault("only the highest band has no end", key=("bands", lower))
        elif _is_number(end) and _is_number(start) and end != start:
            word = "overlaps" if start < end else "leaves a gap after"
            yield document.fault(
                f"{word} {lower}, which goes up to {end:g}, by beginning at {start:g}", key=("bands", upper, "from")
            )
    for name, start, end in zip(names, starts, ends, strict=True):
        if _is_number(start) and _is_number(end) and end <= start:
            yield document.fault(f"ends at {end:g}, where it begins at {start:g}", key=("bands", name, "below"))
    if ends[-1] is not None:
        yield document.fault("the highest band has no end: it goes up to 1", key=("bands", names[-1], "below"))


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
