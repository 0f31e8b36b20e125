"""Waiting, following and logs."""

import math
import threading

from daemon import WAIT_SECONDS, DaemonTest, until

import ferry


class Watching(DaemonTest):
    def test_an_update_comes_for_each_line_and_for_progress_and_the_last_is_of_the_end(self) -> None:
        first, second = self.daemon.gate(), self.daemon.gate()
        job = self.script(f"echo one; read x < {first}; echo two; echo three; read x < {second}; printf four")
        updates = job.follow()
        lines = []

        def read_to(line: str) -> ferry.Update:
            for update in updates:
                lines.extend(update.lines)
                if line in update.lines:
                    return update
            raise AssertionError(f"{line} did not come, but {lines}")
        self.assertEqual(read_to("one").status, "running")
        first.open()
        read_to("three")
        second.open()
        last = read_to("four")
        self.assertEqual((last.status, last.job.is_finished, list(updates)), ("completed", True, []))
        self.assertEqual(lines, ["one", "two", "three", "four"])
        self.assertEqual(job.log(), "one\ntwo\nthree\nfour")

    def test_progress_and_metrics_are_followed(self) -> None:
        gate = self.daemon.gate()
        job = self.client.submit("sample", gate=gate.path, print=["drawing"])
        update = until(job.follow(), lambda update: update.progress.step == 1)
        self.assertEqual((update.progress.total, update.progress.message), (4, "begun"))
        self.assertTrue(math.isnan(update.progress.metrics["loss"]))
        self.assertIn("step 1 of 4, begun", str(update.progress))
        gate.open()
        self.assertEqual(job.result(WAIT_SECONDS).artifacts[0].name, "picture.png")

    def test_following_goes_on_into_another_attempt_whose_log_begins_anew(self) -> None:
        gate, attempt = self.daemon.gate(), self.daemon.folder / "attempt"
        job = self.script(f"echo x >> {attempt}; n=$(wc -l < {attempt}); echo attempt $n; [ $n = 2 ] || read x < {gate}")
        updates = job.follow()
        until(updates, lambda update: "attempt 1" in update.lines)
        job.suspend()
        until(updates, lambda update: update.job.held_for == "suspended")
        job.resume()
        rest = list(updates)
        self.assertEqual(rest[-1].status, "completed")
        self.assertEqual(rest[-1].job.attempts, 2)
        self.assertEqual([line for update in rest for line in update.lines], ["attempt 2"])

    def test_wait_ends_with_the_job_or_with_its_time(self) -> None:
        gate = self.daemon.gate()
        job = self.script(f"read x < {gate}; exit 3")
        for timeout in (0, 0.01):
            why = self.refused(TimeoutError, job.wait, timeout)
            self.assertIsInstance(why, ferry.WaitTimeout)
            self.assertEqual(why.job.id, job.id)
        gate.open()
        ended = job.wait()
        self.assertEqual((ended.status, ended.failure.kind, ended.failure.exit_status), ("failed", "exit_status", 3))
        self.assertEqual(job.wait(0).status, "failed")
        why = self.refused(ferry.JobFailed, job.result)
        self.assertEqual((why.job.failure, str(why)), (ended.failure, f"job {job.id} failed: ended with status 3"))

    def test_all_are_waited_for_in_the_order_given(self) -> None:
        jobs = [self.script(f"exit {status}") for status in (0, 1, 0)]
        ended = self.client.wait_all(reversed(jobs), WAIT_SECONDS)
        self.assertEqual([(job.id, job.status) for job in ended],
                         [(jobs[2].id, "completed"), (jobs[1].id, "failed"), (jobs[0].id, "completed")])
        blocker = self.blocker()
        self.assertEqual(self.refused(ferry.WaitTimeout, self.client.wait_all, [jobs[0], blocker], 0.01).job.id, blocker.id)

    def test_a_cancelled_job_has_no_result(self) -> None:
        job = self.blocker()
        heard = []
        waiter = threading.Thread(target=lambda: heard.append(job.wait(WAIT_SECONDS)))
        waiter.start()
        job.cancel()
        waiter.join()
        self.assertEqual([each.status for each in heard], ["cancelled"])
        self.assertEqual(self.refused(ferry.JobCancelled, job.result).job.id, job.id)

    def test_logs_are_read_whole_from_their_end_and_in_pieces(self) -> None:
        job = self.script(r"printf 'caf\303\251\r\nbad \377\nlast'; head -c 3000000 /dev/zero | tr '\0' x")
        job.wait(WAIT_SECONDS)
        log = job.log()
        self.assertEqual((log[:20], len(log)), ("café\r\nbad \ufffd\nlastxxxx", 3_000_000 + 16))
        self.assertEqual(job.log(-3), "xxx")
        lines = list(job.log_lines())
        self.assertEqual(lines[:2], ["café", "bad \ufffd"])
        self.assertEqual("".join(lines[2:]), "last" + 3_000_000 * "x")
        self.assertEqual(list(job.log_lines(follow=True)), lines)
        piece = self.client.read_log(job, 2, limit=3)
        self.assertEqual((piece.data, piece.offset, piece.next, piece.complete), (b"f\xc3\xa9", 2, 5, False))

    def test_who_stops_following_disturbs_nobody(self) -> None:
        job = self.blocker()
        for update in job.follow():
            self.assertEqual(update.status, "running")
            break
        self.assertEqual(job.get().status, "running")
        self.assertEqual(job.cancel().id, job.id)
