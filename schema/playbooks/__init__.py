"""Alerts, playbooks, their runs, and the deliveries they made."""
