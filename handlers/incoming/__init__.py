"""What people send: parsed, understood, and let in or not."""
