"""Who asks, and the tokens of the API."""
