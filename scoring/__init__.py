"""Pure arithmetic over columns of facts: no clock, no database, no network."""
