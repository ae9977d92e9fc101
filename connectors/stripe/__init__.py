"""Stripe: customers, subscriptions with their MRR, invoices."""
