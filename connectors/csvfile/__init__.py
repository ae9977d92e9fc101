"""CSV files, local or over HTTP: the smallest connector, and the way in for whatever has no API."""
