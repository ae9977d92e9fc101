"""Zendesk Support: organizations, users, tickets with their metrics, and satisfaction answers."""
