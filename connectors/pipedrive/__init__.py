"""Pipedrive: organizations that are customers, their people, and deals."""
