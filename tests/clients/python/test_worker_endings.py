"""How a worker ends: stop, the end of its input, SIGTERM, and ferry's own end."""

import fcntl
import os
import struct
import termios
import time

from workers import TERM, WorkerTest, done, failed

_GATED = """
    def run(jobs):
        worker.progress(jobs, 0.0)
        with open(jobs[0].params["gate"]) as gate:
            gate.read()
"""
_RUNNING = {"type": "progress", "job": 1, "value": 0.0}


class Endings(WorkerTest):
    def test_stop_between_batches_ends_it_with_status_0_and_what_comes_after_serve_still_runs(self) -> None:
        worker = self.start("""
            def run(jobs):
                pass
            worker.serve(load, run)
            os.write(2, b"tidied up")
            """)
        self.assert_stops(worker)
        self.assertEqual(worker.log(), "tidied up")

    def test_stop_and_the_end_of_the_input_let_finish_what_was_given_before(self) -> None:
        for end in (lambda worker: worker.say(type="stop"), lambda worker: worker.process.stdin.close(),
                    lambda worker: (worker.say(type="stop"), worker.run(3), worker.process.stdin.close())):
            worker = self.start(_GATED)
            gate = worker.place / "gate"
            os.mkfifo(gate)
            worker.run(1, params={"gate": str(gate)})
            worker.run(2, params={"gate": "/dev/null"})
            self.assert_hears(worker, _RUNNING)
            end(worker)
            gate.write_text("on")
            self.assert_hears(worker, done(1), {**_RUNNING, "job": 2}, done(2))
            self.assert_ends(worker)

    def test_a_cancel_is_heard_after_stop(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[0].progress(0.0)
                while not jobs[0].cancelled:
                    time.sleep(0.001)
            """)
        worker.run(1)
        self.assert_hears(worker, _RUNNING)
        worker.say(type="stop")
        worker.say(type="cancel", job=1)
        self.assert_hears(worker, failed(1, "cancelled", "cancelled"))
        self.assert_ends(worker)

    def test_a_term_between_batches_ends_it_at_once(self) -> None:
        worker = self.start("""
            def run(jobs):
                pass
            worker.serve(load, run, term_seconds=1000)
            """)
        worker.run(1)
        self.assert_hears(worker, done(1))
        worker.say(type="run", batch=2, jobs=[])
        worker.process.send_signal(TERM)
        self.assert_ends(worker, 143)

    def test_a_term_while_it_loads_ends_it_at_once(self) -> None:
        worker = self.start_unready("""
            def load():
                Path("loading").touch()
                while True:
                    time.sleep(1000)
            def run(jobs):
                pass
            worker.serve(load, run, term_seconds=1000)
            """)
        while not (worker.place / "loading").exists() and worker.process.poll() is None:
            time.sleep(0.001)
        worker.process.send_signal(TERM)
        self.assert_ends(worker, 143)

    def test_run_sees_a_term_and_leaves_its_jobs_to_another_attempt(self) -> None:
        worker = self.start("""
            def run(jobs):
                worker.progress(jobs, 0.0)
                while not jobs[0].stopping:
                    time.sleep(0.001)
                (jobs[0].dir / "last").touch()
                jobs[0].checkpoint("last", 7)
                jobs[1].done()
                if jobs[0].params["raises"]:
                    jobs[0].raise_if_cancelled()
            worker.serve(load, run, term_seconds=1000)
            """)
        for raises in (False, True):
            worker = worker if not raises else self.start((worker.place / "program.py").read_text())
            worker.run(1, 2, 3, params={"raises": raises})
            self.assert_hears(worker, {"type": "progress", "value": 0.0})
            worker.process.send_signal(TERM)
            self.assert_hears(worker, {"type": "checkpoint", "job": 1, "path": "last", "step": 7}, done(2))
            self.assert_ends(worker, 143)

    def test_a_term_ends_a_run_that_does_not_look(self) -> None:
        for busy in ("time.sleep(1000)",  # Python's own handlers would run here
                     "library.pthread_mutex_lock(mutex)",  # and not here: the second time it waits for ever, whatever signal comes
                     "threading.Lock().acquire() and threading.Event().wait()"):
            worker = self.start(f"""
                import ctypes
                library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
                def run(jobs):
                    jobs[0].progress(0.0)
                    while True:
                        {busy}
                worker.serve(load, run, term_seconds=0.05)
                """)
            worker.run(1)
            self.assert_hears(worker, _RUNNING)
            worker.process.send_signal(TERM)
            self.assert_ends(worker, 143)

    def test_a_term_is_heard_where_the_program_takes_signals_for_itself(self) -> None:
        worker = self.start("""
            import asyncio
            async def wait():
                asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, lambda: None)
                asyncio.get_running_loop().call_soon(jobs_now[0].progress, 0.0)
                await asyncio.sleep(1000)
            def run(jobs):
                global jobs_now
                jobs_now = jobs
                asyncio.run(wait())
            worker.serve(load, run, term_seconds=0.05)
            """)
        worker.run(1)
        self.assert_hears(worker, _RUNNING)
        worker.process.send_signal(TERM)
        self.assert_ends(worker, 143)

    def test_it_ends_when_ferry_no_longer_reads(self) -> None:
        for busy in ("while True: time.sleep(1000)", "while True: jobs[0].progress(0.0)"):
            worker = self.start(f"""
                def run(jobs):
                    jobs[0].progress(0.0)
                    {busy}
                """)
            worker.run(1)
            self.assert_hears(worker, _RUNNING)
            worker.process.stdout.close()
            self.assertEqual(worker.process.wait(120), 1)
            self.assertIn("ferry no longer reads", worker.log())

    def test_it_ends_between_batches_when_ferry_is_gone_altogether(self) -> None:
        worker = self.start(_GATED)
        worker.process.stdout.close()
        worker.process.stdin.close()
        self.assertIn(worker.process.wait(120), (0, 1))  # whichever it notices first

    def test_a_full_pipe_does_not_keep_it_from_ending(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[0].progress(0.0)
                while True:
                    jobs[0].progress(0.0, message="x" * 10_000)
            worker.serve(load, run, term_seconds=0.05)
            """)
        worker.run(1, 2)
        pipe = worker.process.stdout.fileno()
        while _bytes_waiting(pipe) <= fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) - 10_000 and worker.process.poll() is None:
            time.sleep(0.001)  # until there is no room for another line
        worker.say(type="cancel", job=1)
        worker.process.send_signal(TERM)
        self.assertEqual(worker.process.wait(120), 143)


def _bytes_waiting(pipe: int) -> int:
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
