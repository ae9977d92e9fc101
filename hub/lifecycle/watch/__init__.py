"""Health watch: where warning and critical begin and end, and for how long before it counts; the same of churn risk."""
