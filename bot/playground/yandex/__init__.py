"""A completion server with the wire format of YandexGPT, answered by any model."""
