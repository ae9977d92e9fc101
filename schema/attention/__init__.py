"""What people have before them, what is kept from them and why, snoozes, and how precise playbooks are."""
