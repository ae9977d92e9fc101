"""What our own people write of customers: notes, and whose a customer is."""
