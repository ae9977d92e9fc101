"""Appcues: events of its asynchronous exports, summed to days."""
