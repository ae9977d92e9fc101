"""What every connector is made of: streams, paging, HTTP with retries and budgets, bookmarks, errors, sandboxes."""
