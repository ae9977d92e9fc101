"""Salesforce: accounts that are customers, their contacts, opportunities and cases."""
