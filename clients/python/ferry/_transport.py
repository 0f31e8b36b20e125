"""Requests over sockets that block. A few connections are kept open; each is used by one thread at a time."""

import os
import socket
import threading
import time

from ferry._address import Address
from ferry._wire import READ_BYTES, Request, Response, ResponseReader, no_answer_in_time, no_connection, went_away

_IDLE_MAX = 8  # connections kept open


class Transport:
    """met: a daemon was there since this began."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.met = False
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._process = os.getpid()
        self._tls = address.tls_context()

    def exchange(self, request: Request) -> Response:
        """Errors: Broken, where no answer came."""
        deadline = time.monotonic() + request.seconds(time.monotonic())
        connection = self._take(request, deadline)
        try:
            response = self._converse(connection, request, deadline)
        except BaseException:  # also where a thread is interrupted: what comes now would be taken for the next answer
            connection.close()
            raise
        if not response.keep_alive or not self._kept(connection, request):
            connection.close()
        return response

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self, request: Request, deadline: float) -> socket.socket:
        # What must not be sent twice takes a new connection: one that ended while it was idle leaves its fate unknown.
        while request.repeatable:
            with self._lock:
                self._forget_parents()
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                break
            if _is_open(connection):
                return connection
            connection.close()
        return self._connected(deadline)

    def _kept(self, connection: socket.socket, request: Request) -> bool:
        with self._lock:
            self._forget_parents()
            if len(self._idle) >= (_IDLE_MAX if request.repeatable else 1):
                return False
            self._idle.append(connection)
            return True

    def _forget_parents(self) -> None:
        """A forked process must not use the connections of its parent."""
        if self._process != os.getpid():
            self._process = os.getpid()
            for connection in self._idle:
                connection.close()
            self._idle = []

    def _connected(self, deadline: float) -> socket.socket:
        try:
            if self.address.socket is None:
                connection = socket.create_connection((self.address.host, self.address.port), _left(deadline))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    connection = self._secured(connection, deadline)
            else:
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    connection.settimeout(_left(deadline))
                    connection.connect(self.address.socket)
                except BaseException:
                    connection.close()
                    raise
        except socket.timeout:
            raise no_answer_in_time(self.address, sent=False) from None
        except OSError as why:
            raise no_connection(self.address, why) from None
        self.met = True
        return connection

    def _secured(self, connection: socket.socket, deadline: float) -> socket.socket:
        assert self._tls is not None
        try:
            connection.settimeout(_left(deadline))
            return self._tls.wrap_socket(connection, server_hostname=self.address.host)
        except BaseException:
            connection.close()
            raise

    def _converse(self, connection: socket.socket, request: Request, deadline: float) -> Response:
        try:
            try:
                connection.settimeout(_left(deadline))
                connection.sendall(request.encoded(self.address))
            except (BrokenPipeError, ConnectionResetError):
                pass  # a daemon that refuses a body closes while we still write; its answer may be there all the same
            reader = ResponseReader(self.address)
            while True:
                connection.settimeout(_left(deadline))
                data = connection.recv(READ_BYTES)
                response = reader.feed(data) if data else reader.end()
                if response is not None:
                    return response
        except socket.timeout:
            raise no_answer_in_time(self.address) from None
        except OSError as why:
            raise went_away(self.address, why.strerror or str(why)) from None


def _left(deadline: float) -> float:
    """Seconds, never none: that would be another mode of the socket."""
    return max(0.001, deadline - time.monotonic())


def _is_open(connection: socket.socket) -> bool:
    """The daemon neither closed it nor said what nobody asked for."""
    try:
        connection.settimeout(0)
        connection.recv(1, 0 if hasattr(connection, "cipher") else socket.MSG_PEEK)  # TLS cannot peek
    except BlockingIOError:
        return True
    except OSError as why:  # of TLS, which is not loaded where it is not used
        return type(why).__name__ == "SSLWantReadError"
    return False
