"""The registry of churn models: who is champion and why, what challengers are worth, and drift."""
