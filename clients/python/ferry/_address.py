"""Where the daemon is: a Unix socket, or a TCP port with a token, by TLS or, on this machine, without."""

import os
import pwd
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union
from urllib.parse import urlsplit

from ferry.errors import InvalidArgument

if TYPE_CHECKING:
    from ssl import SSLContext

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None  # type: ignore[assignment]

_SOCKET_BYTES_MAX = 107  # sun_path of sockaddr_un without its NUL
_HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_.\-]+)\s*\]\s*(?:#.*)?$")
_TEXT = re.compile(r"""\s*([A-Za-z0-9_.\-]+)\s*=\s*(?:"((?:[^"\\]|\\["\\])*)"|'([^']*)')\s*(?:#.*)?$""")


@dataclass(frozen=True)
class Address:
    """socket, or host and port. str() names it for people, without the token. cafile: the certificates that are trusted, instead of the
    system's."""

    socket: Optional[str] = None
    host: str = ""
    port: int = 0
    token: Optional[str] = field(default=None, repr=False)
    tls: bool = False
    cafile: Optional[str] = None

    def __str__(self) -> str:
        return self.socket if self.socket is not None else ("https://" if self.tls else "http://") + self.authority()

    def authority(self) -> str:
        """What stands in the header Host."""
        if self.socket is not None:
            return "ferry"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def tls_context(self) -> "Optional[SSLContext]":
        """None where there is no TLS. Errors: InvalidArgument, for a cafile that cannot be read."""
        if not self.tls:
            return None
        import ssl  # most clients speak over the socket: they need not load it
        try:
            return ssl.create_default_context(cafile=self.cafile)
        except OSError as why:  # also ssl.SSLError: it holds no certificate
            raise InvalidArgument(f"the certificates in {self.cafile} cannot be read: {why.strerror or why}",
                                  "cafile, or $FERRY_CA_FILE, names a PEM file") from None


def address_from(given: Union[str, os.PathLike[str], None], token: Optional[str],
                 cafile: Union[str, os.PathLike[str], None] = None) -> Address:
    """None: the default socket. "http://HOST:PORT", "https://HOST:PORT", "unix:PATH", or the path of a socket. cafile: by default what
    $FERRY_CA_FILE names. Errors: InvalidArgument."""
    text = str(default_socket()) if given is None else os.fspath(given)
    if cafile is not None and not text.startswith("https://"):
        raise InvalidArgument(f"cafile goes with https, and the daemon's address is {text!r}")
    if text.startswith(("http://", "https://")):
        return _tcp_address(text, token, cafile)
    path = text[len("unix:"):] if text.startswith("unix:") else text
    if path.startswith("//"):  # unix:///run/ferry.sock
        path = path[2:]
    if not path:
        raise InvalidArgument("the path of the daemon's socket is empty")
    if len(os.fsencode(path)) > _SOCKET_BYTES_MAX:
        raise InvalidArgument(f"the socket's path is {len(os.fsencode(path))} bytes long, the most is {_SOCKET_BYTES_MAX}: {path}")
    return Address(socket=path, token=token)


def _tcp_address(text: str, token: Optional[str], cafile: Union[str, os.PathLike[str], None]) -> Address:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or port is None or parts.path not in ("", "/") or parts.query or parts.username is not None:
        raise InvalidArgument(f"the daemon's address must be http://HOST:PORT or https://HOST:PORT, is {text!r}")
    if token is not None and (not token.isascii() or not token.isprintable() or " " in token):
        raise InvalidArgument("the token holds characters that none of ferry's has", "it stands in the file `token` of the data directory")
    if parts.scheme == "http":
        return Address(host=parts.hostname, port=port, token=token)
    trusted = os.environ.get("FERRY_CA_FILE") or None if cafile is None else os.fspath(cafile)
    return Address(host=parts.hostname, port=port, token=token, tls=True, cafile=trusted)


def default_socket() -> Path:
    """Where `ferry` looks for the daemon: $FERRY_SOCKET, else what the configuration says ($FERRY_CONFIG, ~/.config/ferry/ferry.toml,
    /etc/ferry/ferry.toml), else ferry.sock in $XDG_RUNTIME_DIR or in the data directory.

    Before Python 3.11 of the configuration only plain lines are understood: `socket = "…"` below [http], `data_dir = "…"` below
    [storage], or http.socket and storage.data_dir."""
    named = os.environ.get("FERRY_SOCKET")
    if named:
        return Path(os.path.abspath(named))
    socket, data = _configured(_config_file())
    if socket is not None:
        return socket
    runtime = _absolute_path_in("XDG_RUNTIME_DIR")
    if runtime is not None and runtime.is_dir():
        return runtime / "ferry.sock"
    return (data or _or_below_home("XDG_DATA_HOME", ".local/share") / "ferry") / "ferry.sock"


def _absolute_path_in(variable: str) -> Optional[Path]:
    """The XDG specification has relative paths ignored."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else None


def _home() -> Path:
    home = _absolute_path_in("HOME")
    if home is not None:
        return home
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path("/")


def _or_below_home(variable: str, below: str) -> Path:
    return _absolute_path_in(variable) or _home() / below


def _config_file() -> Optional[Path]:
    named = os.environ.get("FERRY_CONFIG")
    if named:
        return Path(named)
    for file in (_or_below_home("XDG_CONFIG_HOME", ".config") / "ferry" / "ferry.toml", Path("/etc/ferry/ferry.toml")):
        if file.exists():
            return file
    return None


def _configured(file: Optional[Path]) -> tuple[Optional[Path], Optional[Path]]:
    """http.socket and storage.data_dir of the file. What is wrong with it is the daemon's to report."""
    if file is None:
        return None, None
    try:
        text = file.read_text("utf-8")
        options: Any = tomllib.loads(text) if tomllib is not None else _plain_lines(text)
    except (OSError, ValueError):
        return None, None
    folder = file.absolute().parent

    def path(table: str, key: str) -> Optional[Path]:
        members = options.get(table)
        value = members.get(key) if isinstance(members, dict) else None
        if not isinstance(value, str) or not value:
            return None
        if value == "~" or value.startswith("~/"):
            return _home() / value[2:]
        return Path(os.path.normpath(folder / value))
    return path("http", "socket"), path("storage", "data_dir")


def _plain_lines(text: str) -> dict[str, dict[str, str]]:
    options: dict[str, dict[str, str]] = {}
    header = ""
    for line in text.splitlines():
        begins = _HEADER.match(line)
        if begins:
            header = begins.group(1) + "."
        elif line.lstrip().startswith("["):
            header = "[]."
        found = _TEXT.match(line)
        if found:
            table, _, key = (header + found.group(1)).rpartition(".")
            value = found.group(2)
            options.setdefault(table, {})[key] = found.group(3) if value is None else re.sub(r"\\(.)", r"\1", value)
    return options
