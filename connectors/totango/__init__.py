"""Totango: accounts with their health, and the people who use the product there."""
