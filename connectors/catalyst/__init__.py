"""Catalyst: accounts, and the history of their health."""
