"""Backtests: a definition of health or a playbook tried on the past."""
