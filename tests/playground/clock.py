"""A clock that stands still, for a room."""


class Clock:
    """Tells ``now``, in seconds, until a test moves it."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now
