"""Typeform: answers to NPS and other scale questions of forms."""
