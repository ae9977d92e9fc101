"""Breadth of use: which share of the features that anybody uses this customer uses."""

from scoring.curves import Points
from scoring.measure import Lever, Measure
from scoring.wording import counted, percent

MEASURE = Measure(
    name="feature_adoption",
    group="engagement",
    meaning="features used in 28 days, as a share of those any customer used",
    facts=("feature_adoption", "features_used_28d"),
    live="features_used_28d",
    age="usage_age_days",
    unit="share of features",
    curve=Points(((0, 0), (0.2, 0.3), (0.4, 0.5), (0.6, 0.7), (0.9, 1))),
    value=lambda columns: columns["feature_adoption"],
    sentence=lambda value, facts: (
        f"{counted(facts['features_used_28d'] or 0, 'feature', 'features')} used in the last 28 days, "
        f"{percent(value)} of those any customer used"
    ),
    lever=Lever(
        fact="feature_adoption",
        step=0.1,
        goal=1,
        most=5,
        along=("features_used_28d",),
        doing="bring another tenth of the features into use: show each on a case of theirs",
    ),
)
