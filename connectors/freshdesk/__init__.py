"""Freshdesk: companies, contacts, tickets and satisfaction ratings."""
