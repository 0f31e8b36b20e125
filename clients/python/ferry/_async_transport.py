"""Requests over asyncio's streams. A few connections are kept open; each is used by one task at a time."""

import asyncio
import os
import socket
import time
from typing import Any, Callable, Coroutine, Optional, TypeVar

from ferry._address import Address
from ferry._wire import READ_BYTES, Request, Response, ResponseReader, no_answer_in_time, no_connection, went_away

T = TypeVar("T")
_IDLE_MAX = 8  # connections kept open
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class AsyncTransport:
    """met: a daemon was there since this began. One that is used by another event loop than before begins anew."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.met = False
        self._tls = address.tls_context()
        self._idle: list[_Connection] = []
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._process = os.getpid()

    async def exchange(self, request: Request) -> Response:
        """Errors: Broken, where no answer came."""
        deadline = time.monotonic() + request.seconds(time.monotonic())
        self._forget_others()
        connection = self._idle_one(request) or await self._connected(deadline)
        try:
            response = await _within(self._converse(connection, request), deadline)
        except asyncio.TimeoutError:
            connection[1].close()
            raise no_answer_in_time(self.address) from None
        except BaseException:  # also where the task is cancelled: what comes now would be taken for the next answer
            connection[1].close()
            raise
        if response.keep_alive and len(self._idle) < (_IDLE_MAX if request.repeatable else 1):
            self._idle.append(connection)
        else:
            connection[1].close()
        return response

    async def close(self) -> None:
        self._forget_others()
        idle, self._idle = self._idle, []
        for _, writer in idle:
            writer.close()
        for _, writer in idle:
            try:
                await writer.wait_closed()
            except OSError:
                pass  # closed is closed

    def _forget_others(self) -> None:
        """Connections belong to the event loop, and to the process, that made them."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._process != os.getpid():
            self._idle = []
            self._loop, self._process = loop, os.getpid()

    def _idle_one(self, request: Request) -> Optional[_Connection]:
        # What must not be sent twice takes a new connection: one that ended while it was idle leaves its fate unknown.
        while request.repeatable and self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        return None

    async def _connected(self, deadline: float) -> _Connection:
        try:
            opening = (asyncio.open_connection(self.address.host, self.address.port, ssl=self._tls) if self.address.socket is None
                       else asyncio.open_unix_connection(self.address.socket))
            connection = await _within(opening, deadline, lambda late: late[1].close())
        except asyncio.TimeoutError:
            raise no_answer_in_time(self.address, sent=False) from None
        except OSError as why:
            raise no_connection(self.address, why) from None
        if self.address.socket is None:
            connection[1].get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.met = True
        return connection

    async def _converse(self, connection: _Connection, request: Request) -> Response:
        stream, writer = connection
        try:
            try:
                writer.write(request.encoded(self.address))
                await writer.drain()
            except (BrokenPipeError, ConnectionResetError):
                pass  # a daemon that refuses a body closes while we still write; its answer may be there all the same
            reader = ResponseReader(self.address)
            while True:
                data = await stream.read(READ_BYTES)
                response = reader.feed(data) if data else reader.end()
                if response is not None:
                    return response
        except OSError as why:
            raise went_away(self.address, why.strerror or str(why)) from None


async def _within(work: Coroutine[Any, Any, T], deadline: float, discard: Callable[[T], object] = lambda result: None) -> T:
    """asyncio.wait_for(), which before Python 3.12 forgets that its task was cancelled where the work ends at the same moment. discard: done
    with a result that comes too late. Errors: asyncio.TimeoutError."""
    def tidy(ended: "asyncio.Task[T]") -> None:
        if not ended.cancelled() and ended.exception() is None:
            discard(ended.result())
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=max(0.001, deadline - time.monotonic()))
        if not done:
            raise asyncio.TimeoutError
    except BaseException:
        task.cancel()
        task.add_done_callback(tidy)
        raise
    return task.result()
