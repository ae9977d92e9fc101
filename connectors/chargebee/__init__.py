"""Chargebee: customers, subscriptions with their MRR, invoices."""
