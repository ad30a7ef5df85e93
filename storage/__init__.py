"""Redis, and the words that every storey speaks."""
