"""The process: settings, incoming updates, lanes, the completion API, and the wiring of it all."""

__version__ = "0.1.0"
