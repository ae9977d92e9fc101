"""Drift: accounts, and conversations with the contact of each."""
