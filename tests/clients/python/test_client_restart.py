"""A daemon that is killed and started again, and connections that break: nothing is submitted twice, and nothing is done twice unseen."""

import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable
from unittest import mock

from daemon import WAIT_SECONDS, Between, DaemonTest, answer_of, until

import ferry


class Restarts(DaemonTest):
    def restart(self) -> None:
        self.daemon.kill()
        self.daemon.start()

    def meanwhile(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """Does it in a thread; what is returned waits for its outcome."""
        outcome: list[Any] = []

        def run() -> None:
            try:
                outcome.append(call())
            except BaseException as why:  # shown where the outcome is asked for
                outcome.append(why)
        thread = threading.Thread(target=run)
        thread.start()

        def wait() -> Any:
            thread.join(WAIT_SECONDS)
            self.assertFalse(thread.is_alive(), "it never ended")
            if isinstance(outcome[0], BaseException):
                raise outcome[0]
            return outcome[0]
        return wait

    def test_wait_and_follow_go_on_through_a_kill(self) -> None:
        first, second = self.daemon.gate(), self.daemon.gate()
        job = self.script(f"echo one; read x < {first}; echo two; read x < {second}; echo three")
        updates = job.follow()
        until(updates, lambda update: "one" in update.lines)
        polling = threading.Event()

        def exchange(request: Any, original: Any = self.client._transport.exchange) -> Any:
            if "wait=60" in request.path:
                polling.set()
            return original(request)
        with mock.patch.object(self.client._transport, "exchange", exchange):
            ended = self.meanwhile(lambda: job.wait(WAIT_SECONDS))
            polling.wait(WAIT_SECONDS)
            self.daemon.kill()
            first.open()  # it goes on without a daemon
            self.daemon.start()
            until(updates, lambda update: "two" in update.lines)
            second.open()
            self.assertEqual(ended().status, "completed")
        self.assertEqual([line for update in updates for line in update.lines], ["three"])
        self.assertEqual(job.get().attempts, 1)

    def test_what_ended_without_a_daemon_is_heard_of(self) -> None:
        gate = self.daemon.gate()
        job = self.script(f"echo begun; read x < {gate}; echo done > $FERRY_JOB_DIR/done")
        until(job.follow(), lambda update: "begun" in update.lines)
        self.daemon.kill()
        gate.open()
        self.daemon.start()
        self.assertEqual([artifact.name for artifact in job.result(WAIT_SECONDS).artifacts], ["done"])

    def test_requests_of_every_kind_go_on_after_a_restart(self) -> None:
        job = self.script("true", held=True)
        self.restart()
        self.assertEqual(self.client.hold(job).status, "queued")  # not repeatable: it takes a new connection
        self.restart()
        self.assertEqual(self.client.get(job).held, True)  # over the one that was kept open
        self.restart()
        self.assertGreater(self.script("true", held=True).id, job.id)

    def test_a_client_waits_for_a_daemon_that_it_has_met(self) -> None:
        self.client.status()
        self.daemon.kill()
        pausing = threading.Event()

        def sleep(seconds: float, original: Any = time.sleep) -> None:
            pausing.set()
            original(seconds)
        with mock.patch("time.sleep", sleep):
            job = self.meanwhile(lambda: self.script("true", held=True))
            pausing.wait(WAIT_SECONDS)
            self.daemon.start()
            self.assertTrue(job().get().held)
        self.daemon.kill()
        with ferry.Client(self.daemon.socket, patience=0) as hasty:
            hasty._transport.met = True
            why = self.refused(ferry.Unavailable, hasty.hold, 1)
            self.assertEqual((why.was_sent, str(why).partition(" (")[0]), (False, f"no ferry daemon listens at {self.daemon.socket}"))
        with ferry.Client(self.daemon.socket) as stranger:  # has met nobody: it says so at once
            with mock.patch("time.sleep", self.fail):
                self.assertIn("`ferry up`", self.refused(ferry.Unavailable, stranger.status).hint)
        self.daemon.start()

    def test_a_timeout_holds_while_there_is_no_daemon(self) -> None:
        job = self.blocker()
        self.daemon.kill()
        try:
            self.assertEqual(self.refused(ferry.FerryError, self.client.wait_all, [job], 0.05).code, "unavailable")
        finally:
            self.daemon.start()


class BrokenConnections(DaemonTest):
    def between(self, *deeds: Any) -> "tuple[ferry.Client, Between]":
        folder = Path(tempfile.mkdtemp(dir=self.daemon.folder))
        between = Between(folder / "s", self.daemon.socket, *deeds)
        self.addCleanup(between.close)
        client = ferry.Client(between.path)
        self.addCleanup(client.close)
        return client, between

    def test_a_submit_whose_answer_is_lost_counts_once(self) -> None:
        client, between = self.between("lose", "drop", "lose", "pass")
        job = client.submit("command", argv=["true"], held=True)
        self.assertEqual(between.seen, ["POST /api/v1/jobs"] * 4)
        self.assertEqual([each.id for each in self.client.all_jobs(status="queued")], [job.id])
        many, between = self.between("lose")
        jobs = many.submit_many([ferry.NewJob("sample", held=True)] * 3)
        self.assertEqual({each.id for each in self.client.all_jobs(status="queued")}, {job.id, *(each.id for each in jobs)})

    def test_what_could_be_done_twice_is_not_sent_twice(self) -> None:
        job = self.script("true", held=True)
        client, between = self.between("lose")
        why = self.refused(ferry.Unavailable, client.release, job)
        self.assertTrue(why.was_sent)
        self.assertIn("went away before it answered", str(why))
        self.assertEqual(between.seen, [f"POST /api/v1/jobs/{job.id}/release"])
        self.assertEqual(job.wait(WAIT_SECONDS).status, "completed")

    def test_an_answer_that_says_try_again_is_tried_again_where_that_is_safe(self) -> None:
        restarting = answer_of(503, {"error": {"code": "unavailable", "message": "a part is restarting", "hint": "", "problems": []}})
        client, between = self.between(restarting, "pass", restarting)
        self.assertFalse(client.status().paused)
        self.assertEqual(self.refused(ferry.Unavailable, client.pause).http_status, 503)
        self.assertEqual(len(between.seen), 3)

    def test_what_is_no_answer_of_a_daemon_is_said_to_be_none(self) -> None:
        for nonsense in (b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"x" * 70_000,
                         b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}"):
            client, between = self.between(nonsense)
            self.assertIn("does not answer as ferry's daemon does", str(self.refused(ferry.Unavailable, client.status)))
            self.assertEqual(len(between.seen), 1)
        for document in ([], {}, {"jobs": 3}):
            client, between = self.between(answer_of(200, document))
            self.assertIsInstance(self.refused(ferry.DaemonError, client.history, 1), ferry.FerryError)
        client, between = self.between(answer_of(418, {"error": {"code": "teapot", "message": "short and stout"}}), answer_of(500, "?"))
        why = self.refused(ferry.FerryError, client.status)
        self.assertEqual((type(why), why.code, str(why)), (ferry.FerryError, "teapot", "short and stout"))
        self.assertIn("HTTP status 500", str(self.refused(ferry.DaemonError, client.status)))

    def test_many_threads_share_one_client_and_a_fork_has_connections_of_its_own(self) -> None:
        numbers: list[int] = []

        def work() -> None:
            for _ in range(5):
                job = self.script("true", held=True)
                self.assertEqual(self.client.get(job).id, job.id)
                numbers.append(job.id)
        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(numbers)), 60)
        self.assertEqual({job.id for job in self.client.all_jobs(status="queued")}, set(numbers))
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if self.client.get(numbers[0]).id == numbers[0] else 1)
            finally:
                os._exit(2)
        for number in numbers:
            self.assertEqual(self.client.get(number).id, number)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
