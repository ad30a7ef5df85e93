"""The completion API over httpx."""
