"""The demonstration: a simulated company, the sandboxes of its vendors, and the places where what the hub sends arrives."""
