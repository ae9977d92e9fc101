"""The measures, one file each, found by being here.

A measure turns facts into one input, and a curve turns that into a reading between 0 and 1 (scoring.measure). They do not
know each other; what they weigh is said in `config/health.yaml`. Thresholds of the curves are starting points for a product
used on working days; a company sets its own there.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from scoring.measure import Measure


@cache
def discover() -> Mapping[str, Measure]:
    """{name: measure} of every module in this folder; the name is the file's."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        measure = import_module(f"{__name__}.{module.name}").MEASURE
        assert measure.name == module.name, f"the measure in {module.name}.py is named {measure.name}"
        found[module.name] = measure
    return found
