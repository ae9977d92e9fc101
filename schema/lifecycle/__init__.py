"""Where customers stand in their life with us, and what people do about it."""
