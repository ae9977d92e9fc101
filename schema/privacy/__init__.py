"""A copy of what the hub knows of a person, and erasing people and customers."""
