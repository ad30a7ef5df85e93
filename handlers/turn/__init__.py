"""The update in work: its conversation, its buttons, and what is kept of its reply."""
