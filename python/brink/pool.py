"""The process-wide pool of run servers.

A call checks one out and gives it back; a new one is started when none is free, so the
number of servers is the largest number of simultaneous calls. Each is single-threaded and
forks a child per run; this process is never forked.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from brink import engine


class ServerPool:
    """Run servers that are free, by engine path. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[tuple[str, Any]] = []
        self._busy: set[Any] = set()
        self._closed = False

    @contextmanager
    def server(self) -> Iterator[Any]:
        """A run server for the caller alone. Raises EngineError when none can be started."""
        path = engine.find_engine()
        server = self._take(path)
        if server is None:
            server = engine.module().RunServer(path)
        with self._lock:
            self._busy.add(server)
        try:
            yield server
        finally:
            with self._lock:
                self._busy.discard(server)
                if server.alive and not self._closed:
                    self._free.append((path, server))

    def _take(self, path: str) -> Any | None:
        with self._lock:
            for index in range(len(self._free) - 1, -1, -1):  # the most recently used is warmest
                if self._free[index][0] == path:
                    return self._free.pop(index)[1]
        return None

    def busy(self) -> list[int]:
        """Process ids of the servers with a run in progress."""
        with self._lock:
            return [server.pid for server in self._busy]

    def cancel(self) -> None:
        """Ends the runs in progress, in whichever threads: they raise EngineError."""
        with self._lock:
            for server in self._busy:
                server.cancel()

    def close(self) -> None:
        """Ends the runs in progress and all free servers."""
        self.cancel()
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        free.clear()  # each server's process ends when its stdin closes


pool = ServerPool()
atexit.register(pool.close)
