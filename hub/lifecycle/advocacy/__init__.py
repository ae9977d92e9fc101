"""Advocacy: whom to ask how often, and from which answer on somebody is a promoter."""
