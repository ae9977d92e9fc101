"""The application: settings, use cases, the store, delivery, and the entry points that start them."""
