"""Onboarding: its programmes, their steps, and when one counts as behind or stalled."""
