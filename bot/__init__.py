"""The process: settings, updates in, lanes, the completion API, and what puts them together."""

__version__ = "0.1.0"
