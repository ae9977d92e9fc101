"""The GraphQL API, one folder per noun."""
