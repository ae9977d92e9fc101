"""Tracking libraries that speak Segment's HTTP API, as a source: they send, the hub keeps and sums."""
