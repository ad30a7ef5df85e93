"""What people send: read, understood, and let in or not."""
