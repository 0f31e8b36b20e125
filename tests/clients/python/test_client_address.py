"""Where the daemon is looked for, over which way it is spoken to, and what is loaded for that."""

import asyncio
import os
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path
from unittest import mock

from daemon import PACKAGES, DaemonTest

import ferry
from ferry import _address, aio
from ferry._address import address_from, default_socket
from ferry._operations import noteworthy
from ferry._wire import ResponseReader


class DefaultSocket(unittest.TestCase):
    """The rules of config/locations.cpp."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        environment = mock.patch.dict(os.environ, {"HOME": str(self.folder / "ada")})
        environment.start()
        self.addCleanup(environment.stop)
        for name in ("FERRY_SOCKET", "FERRY_CONFIG", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            os.environ.pop(name, None)

    def configured(self, text: str) -> None:
        file = self.folder / "ferry.toml"
        file.write_text(text)
        os.environ["FERRY_CONFIG"] = str(file)

    def test_it_is_where_xdg_says(self) -> None:
        self.assertEqual(default_socket(), self.folder / "ada/.local/share/ferry/ferry.sock")
        os.environ.update(XDG_DATA_HOME="data", XDG_RUNTIME_DIR="/nonexistent/run")
        self.assertEqual(default_socket(), self.folder / "ada/.local/share/ferry/ferry.sock")
        os.environ.update(XDG_DATA_HOME="/srv/data")
        self.assertEqual(default_socket(), Path("/srv/data/ferry/ferry.sock"))
        os.environ.update(XDG_RUNTIME_DIR=str(self.folder))
        self.assertEqual(default_socket(), self.folder / "ferry.sock")

    def test_the_environment_goes_over_the_configuration(self) -> None:
        self.configured('[http]\nsocket = "run/here.sock"\n')
        self.assertEqual(default_socket(), self.folder / "run/here.sock")
        os.environ["FERRY_SOCKET"] = ""
        self.assertEqual(default_socket(), self.folder / "run/here.sock")
        os.environ["FERRY_SOCKET"] = "/tmp/x/../there.sock"
        self.assertEqual(default_socket(), Path("/tmp/there.sock"))

    def test_the_configuration_is_the_one_named_or_the_users(self) -> None:
        own = self.folder / "ada/.config/ferry/ferry.toml"
        own.parent.mkdir(parents=True)
        own.write_text("http.socket = '~/s'\n")
        self.assertEqual(default_socket(), self.folder / "ada/s")
        os.environ["FERRY_CONFIG"] = "/nonexistent/ferry.toml"
        self.assertEqual(default_socket(), self.folder / "ada/.local/share/ferry/ferry.sock")

    def test_all_ways_to_write_it_are_understood_with_and_without_tomllib(self) -> None:
        for parser in {_address.tomllib, None}:
            with mock.patch.object(_address, "tomllib", parser), self.subTest(parser=parser):
                for text, where in (('storage.data_dir = "/srv/ferry"\n', "/srv/ferry/ferry.sock"),
                                    ('[storage]  # here\n  data_dir = \'/srv/it"s\' # there\n', '/srv/it"s/ferry.sock'),
                                    ('[http.tcp]\nlisten = ""\n[http]\nsocket = "/a\\\\b"\n', "/a\\b"),
                                    ('[job_types.x]\ncommand = ["socket"]\nsocket = "/no"\n[[x]]\nsocket = "/no"\n', None),
                                    ("[http\n", None), ("socket = 3\n", None)):
                    self.configured(text)
                    self.assertEqual(default_socket(), Path(where or self.folder / "ada/.local/share/ferry/ferry.sock"), text)


class Addresses(unittest.TestCase):
    def test_sockets_and_urls(self) -> None:
        for given, shown in (("/run/s", "/run/s"), ("unix:/run/s", "/run/s"), ("unix:///run/s", "/run/s"), (Path("/run/s"), "/run/s"),
                             ("http://127.0.0.1:7878", "http://127.0.0.1:7878"), ("https://gpu:1", "https://gpu:1"), ("http://[::1]:7878/", "http://[::1]:7878")):
            self.assertEqual(str(address_from(given, None)), shown)
        for wrong in ("https://127.0.0.1", "http://127.0.0.1", "http://127.0.0.1:99999", "http://127.0.0.1:1/x", "unix:", "/" + 107 * "x"):
            with self.assertRaises(ferry.InvalidArgument, msg=wrong):
                ferry.Client(wrong)
        with self.assertRaises(ferry.InvalidArgument):
            ferry.Client("http://127.0.0.1:7878", token="two\r\nlines")

    def test_certificates_are_those_given_or_named_by_the_environment(self) -> None:
        with mock.patch.dict(os.environ, {"FERRY_CA_FILE": "/a/ca.pem"}):
            self.assertEqual(address_from("https://gpu:1", None).cafile, "/a/ca.pem")
            self.assertEqual(address_from("https://gpu:1", None, Path("/b/ca.pem")).cafile, "/b/ca.pem")
            self.assertIsNone(address_from("http://gpu:1", None).cafile)
            with self.assertRaisesRegex(ferry.InvalidArgument, "/a/ca.pem cannot be read"):
                ferry.Client("https://gpu:1")
        with self.assertRaisesRegex(ferry.InvalidArgument, "cafile goes with https"):
            ferry.Client("http://gpu:1", cafile="/b/ca.pem")

    def test_the_token_is_in_no_text(self) -> None:
        client = ferry.Client("http://127.0.0.1:7878", token="secret")
        self.assertNotIn("secret", repr(client) + repr(client._transport.address))


class Lightness(unittest.TestCase):
    def run_python(self, program: str) -> str:
        return subprocess.run([sys.executable, "-B", "-c", program], env={**os.environ, "PYTHONPATH": str(PACKAGES)}, text=True,
                              stdout=subprocess.PIPE, check=True).stdout

    def test_a_worker_loads_no_client(self) -> None:
        loaded = self.run_python("import sys; from ferry import worker; print(*sorted(n for n in sys.modules if n.startswith('ferry')))")
        self.assertEqual(loaded.split(), ["ferry", "ferry._messages", "ferry.worker"])

    def test_every_name_is_there_when_asked_for(self) -> None:
        self.run_python("import ferry; [getattr(ferry, n) for n in ferry.__all__]; assert 'Client' in dir(ferry)")
        self.assertIn("JobDatabase", self.run_python("from ferry import *; print(JobDatabase)"))
        with self.assertRaises(AttributeError):
            ferry.Nothing  # noqa: B018


class Documents(unittest.TestCase):
    def test_what_a_newer_daemon_says_is_kept_and_what_an_older_leaves_out_is_empty(self) -> None:
        job = ferry.Job.of({"id": 1, "status": "dreaming", "colour": "red", "progress": {"fraction": None, "mood": 3},
                            "created": "2026-01-31T12:00:00.250Z"})
        self.assertEqual((job.raw["colour"], job.progress.raw["mood"], job.needs, job.result), ("red", 3, (), None))
        self.assertEqual(job.created, datetime(2026, 1, 31, 12, 0, 0, 250_000, timezone.utc))
        self.assertFalse(job.is_finished)
        self.assertEqual({job, job}, {job})
        for broken in (None, [], {"status": "queued"}, {"id": 1}):
            with self.assertRaises(ferry.DaemonError):
                ferry.Job.of(broken)

    def test_progress_that_is_no_number_is_no_news_each_time(self) -> None:
        def seen(loss: str) -> "tuple[object, ...]":
            return noteworthy(ferry.Job.of({"id": 1, "status": "running", "progress": {"step": 1, "metrics": {"loss": loss}}}))
        self.assertEqual(seen("nan"), seen("nan"))
        self.assertNotEqual(seen("nan"), seen("inf"))

    def test_an_answer_may_come_in_any_pieces(self) -> None:
        answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nFerry-Log-Next: -7\r\n\r\nhello"
        for size in (1, 7, len(answer)):
            reader = ResponseReader(address_from("/s", None))
            pieces = [reader.feed(answer[at:at + size]) for at in range(0, len(answer), size)]
            self.assertEqual(pieces[:-1], [None] * (len(pieces) - 1))
            response = pieces[-1]
            assert response is not None
            self.assertEqual((response.body, response.number("ferry-log-next"), response.keep_alive), (b"hello", -7, True))
        reader = ResponseReader(address_from("/s", None))
        self.assertIsNone(reader.feed(b"HTTP/1.0 200 OK\r\n\r\nall of it"))
        self.assertEqual((reader.end().body, reader.end().keep_alive), (b"all of it", False))


class Tcp(DaemonTest):
    http = '[http.tcp]\nlisten = "127.0.0.1:0"'

    def test_a_port_asks_for_the_token(self) -> None:
        port = self.daemon.tcp_port
        token = (self.daemon.data / "token").read_text().strip()
        with ferry.Client(f"http://127.0.0.1:{port}", token=token) as client:
            job = client.submit("command", argv=["true"])
            self.assertEqual(job.wait().status, "completed")
        for wrong in (None, "x" * 64):
            with ferry.Client(f"http://127.0.0.1:{port}", token=wrong) as client:
                self.assertIn("token", self.refused(ferry.Unauthorized, client.status).hint)


class Tls(DaemonTest):
    """By a certificate that the daemon signed itself, as most have."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.certificate = Path(folder.name) / "own.pem"
        key = Path(folder.name) / "own.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=ferry", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cls.certificate],
                       check=True, capture_output=True)
        cls.http = f'[http.tcp]\nlisten = "127.0.0.1:0"\ncertificate = "{cls.certificate}"\nkey = "{key}"'
        super().setUpClass()

    def test_both_clients_speak_with_whom_they_trust_and_with_nobody_else(self) -> None:
        token = (self.daemon.data / "token").read_text().strip()
        for host in ("localhost", "127.0.0.1"):
            with ferry.Client(f"https://{host}:{self.daemon.tcp_port}", token=token, cafile=self.certificate) as client:
                job = client.submit("command", argv=["true"])
                self.assertEqual(job.wait().status, "completed")
                self.assertEqual([client.status().version for _ in range(3)], [client.status().version] * 3)  # by connections that are kept

        async def speak() -> str:
            async with aio.AsyncClient(f"https://localhost:{self.daemon.tcp_port}", token=token, cafile=self.certificate) as client:
                await client.status()
                return (await (await client.submit("command", argv=["true"])).wait()).status
        self.assertEqual(asyncio.run(speak()), "completed")
        with ferry.Client(f"https://localhost:{self.daemon.tcp_port}", token=token) as client:
            self.assertIn("$FERRY_CA_FILE", self.refused(ferry.Unauthorized, client.status).hint)
        with ferry.Client(f"http://localhost:{self.daemon.tcp_port}", token=token, patience=0) as client:
            self.refused(ferry.Unavailable, client.status)
