"""Customers, and the records that belong to one: contacts, tickets, surveys, subscriptions, use of the product."""
