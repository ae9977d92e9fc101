"""WalkMe: end-user events of Insights, summed to days."""
