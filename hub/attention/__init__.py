"""How much of people's attention the hub may take: what is said now, later, together with other things, or not again."""
