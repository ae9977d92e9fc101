"""What was to be seen of customers before they left, and whether anyone acted."""
