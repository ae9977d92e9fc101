"""Pendo: accounts, visitors, days of use and NPS answers, all through its aggregation endpoint."""
