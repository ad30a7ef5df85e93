"""The update in work: its conversation, its buttons, its kept reply."""
