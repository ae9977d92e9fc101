"""Renewal: from when on one is upcoming and due, and when an overdue one counts as lost."""
