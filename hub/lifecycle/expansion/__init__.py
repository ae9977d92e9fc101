"""Expansion: the rules that find upgrades, add-ons and seats, and whom nothing is offered."""
