"""A loop on which nothing takes long: for what only waits, and calls nobody outside."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Hurried(asyncio.SelectorEventLoop):
    """Its clock goes on at once to when something is to happen."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None = None) -> Any:
            self._skipped += timeout or 0.0
            return select(timeout if timeout is None else 0)

        self._selector.select = skip  # type: ignore[attr-defined]

    def time(self) -> float:
        return super().time() + self._skipped


def hurried(doing: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run it; gives its result, and how many seconds it would have taken."""
    with asyncio.Runner(loop_factory=_Hurried) as runner:
        began = runner.get_loop().time()
        return runner.run(doing), runner.get_loop().time() - began
