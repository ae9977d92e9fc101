"""Who gets no mail, and what came back."""
