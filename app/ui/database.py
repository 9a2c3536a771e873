"""The one database thread: runs the store off the GUI thread, calls in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from app.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class Database:
    """Awaits methods of a `Store` that lives on its own thread; opened by the first call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._store: Store | None = None

    async def call(
        self, method: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs `method(store, …)` on the database thread.

        Raises:
            StoreFault: the store can't be opened, read or written.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda: method(self._opened(), *args, **kwargs)
        )

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=True)

    def _opened(self) -> Store:
        if self._store is None:
            self._store = Store(self._folder)
        return self._store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
