"""ChurnZero: accounts, contacts, and the history of churn scores."""
