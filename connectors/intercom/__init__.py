"""Intercom: companies, contacts, conversations with their ratings, and tickets."""
