"""A proxy before PostgreSQL that cuts a connection in the middle of a commit."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from threading import Lock, Thread
from typing import Final

_COMMIT: Final = b"COMMIT\0"
_CHUNK: Final = 65_536


class Cut(Enum):
    """Where a commit is cut off."""

    BEFORE = "the server never hears of it"
    AFTER = "the server does it, and the client never hears of that"


class Proxy:
    """Passes bytes on, until it is told to cut."""

    def __init__(self, port: int) -> None:
        """Listen on a port of one's own, before a server on `port`."""
        self._server = ("127.0.0.1", port)
        self._next: Cut | None = None
        self._lock = Lock()
        self.cuts = 0
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listening.getsockname()[1]
        Thread(target=self._listen, daemon=True).start()

    def cut_next(self, where: Cut) -> None:
        """Cut off the next commit of anybody."""
        with self._lock:
            self._next = where

    @property
    def is_armed(self) -> bool:
        """Whether the cut is still to come."""
        return self._next is not None

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            back = Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            with suppress(OSError):
                while data := client.recv(_CHUNK):
                    where = self._taken() if _COMMIT in data else None
                    if where is not Cut.BEFORE:
                        server.sendall(data)
                    if where is not None:
                        # The client first, so that no answer gets through.
                        _end(client)
                        break
            _end(server)
            back.join()

    def _taken(self) -> Cut | None:
        with self._lock:
            where, self._next = self._next, None
            self.cuts += where is not None
            return where


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    _end(target)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """Stand before a server on `port`."""
    own = Proxy(port)
    try:
        yield own
    finally:
        own.listening.close()
