"""What a frontend must know of the configuration: cuts, facts, definitions, channels of our own people."""
