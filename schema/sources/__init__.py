"""Sources: how syncing stands."""
