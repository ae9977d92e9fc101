"""Saved segments: conditions on customers that people gave a name."""
