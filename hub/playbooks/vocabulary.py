"""The names playbooks use: those of `hub.segments.vocabulary`, which conditions have everywhere."""

from hub.segments.vocabulary import OWN_NAME, VALUES, VOCABULARY

__all__ = ["OWN_NAME", "VALUES", "VOCABULARY"]
