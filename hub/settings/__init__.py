"""Settings: everything in `config/` and the environment, read once, with every fault listed at once.

A configuration folder need not be whole: a file that is missing there is taken from the one that ships with the hub.
`${NAME}` in any value is taken from the environment, `${NAME:-something}` has a default. This is the only reader of
`os.environ`; of its own the hub knows CSHUB_CONFIG (the folder), CSHUB_SECRETS_KEY (what stored secrets are encrypted with)
and, through config/hub.yaml, CSHUB_STORE. `${secret:NAME}` is taken from the store.
"""

from hub.settings.loading import Settings, load, load_secret_keys, load_store
from hub.settings.sources import ScheduledSource

__all__ = ["ScheduledSource", "Settings", "load", "load_secret_keys", "load_store"]
