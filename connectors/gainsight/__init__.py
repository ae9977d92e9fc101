"""Gainsight CS: companies, people, and the history of scorecards."""
