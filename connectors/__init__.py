"""The outside world, one folder per vendor; what they share is in `connectors.kit`."""
