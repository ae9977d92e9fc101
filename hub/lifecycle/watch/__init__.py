"""Health watch: where warning and critical begin and end, and for how long before it counts; the same of churn risk.

    settings   the section `watch:` of lifecycle.yaml, and the scales it makes of it and of the bands
    keeping    after every scoring, the levels of all customers: watch_level and churn_level

What is done about a level stands in playbooks: health_critical, health_warning, churn_save, churn_medium.
"""

from hub.lifecycle.watch.keeping import Scales, keep, switch_off
from hub.lifecycle.watch.settings import WatchSettings

__all__ = ["Scales", "WatchSettings", "keep", "switch_off"]
