"""A cancel is heard while run() works, and meets one job alone."""

import os

from workers import WorkerTest, done, failed

_WAITS = """
    def run(jobs):
        worker.progress(jobs, 0.0)
        while not any(job.cancelled for job in jobs):
            time.sleep(0.001)
"""


class Cancel(WorkerTest):
    def test_a_job_that_is_cancelled_while_it_runs_fails_as_such_and_the_others_go_on(self) -> None:
        worker = self.start("""
            def run(jobs):
                live = jobs
                while len(live) == 3:
                    worker.progress(live, 0.5)
                    live = worker.without_cancelled(live)
                    time.sleep(0.001)
                return [{"live": len(live)} for job in jobs]
            """)
        worker.run(1, 2, 3)
        self.assert_hears(worker, {"type": "progress", "value": 0.5})
        worker.say(type="cancel", job=2)
        while (told := worker.hear()) == {"type": "progress", "value": 0.5}:
            pass
        self.assertEqual(told, failed(2, "cancelled", "cancelled"))
        self.assert_hears(worker, done(1, live=2), done(3, live=2))
        self.assert_stops(worker)

    def test_a_cancelled_job_that_run_leaves_open_has_failed_as_cancelled(self) -> None:
        worker = self.start(_WAITS)
        worker.run(1, 2)
        self.assert_hears(worker, {"type": "progress", "value": 0.0})
        worker.say(type="cancel", job=2)
        self.assert_hears(worker, done(1), failed(2, "cancelled", "cancelled"))
        self.assert_stops(worker)

    def test_a_cancelled_job_may_still_end_otherwise(self) -> None:
        worker = self.start(_WAITS + "        jobs[0].done({'late': True})\n")
        worker.run(1)
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.0})
        worker.say(type="cancel", job=1)
        self.assert_hears(worker, done(1, late=True))
        self.assert_stops(worker)

    def test_raise_if_cancelled_ends_its_job_and_run_is_called_again_with_the_others(self) -> None:
        worker = self.start("""
            def run(jobs):
                worker.progress(jobs, 0.0, message=str([job.id for job in jobs]))
                while len(jobs) == 3:
                    for job in jobs:
                        job.raise_if_cancelled()
                    time.sleep(0.001)
            """)
        worker.run(1, 2, 3)
        self.assert_hears(worker, {"type": "progress", "value": 0.0, "message": "[1, 2, 3]"})
        worker.say(type="cancel", job=2)
        self.assert_hears(worker, failed(2, "cancelled", "cancelled"), {"type": "progress", "value": 0.0, "message": "[1, 3]"},
                          done(1), done(3))
        self.assertNotIn("Traceback", worker.log())
        self.assert_stops(worker)

    def test_what_a_cancelled_job_raises_is_its_cancellation(self) -> None:
        worker = self.start(_WAITS + "        raise OSError('the child process was ended')\n")
        worker.run(1)
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.0})
        worker.say(type="cancel", job=1)
        self.assert_hears(worker, failed(1, "cancelled", "cancelled"))
        worker.run(1, 2, 3)
        self.assert_hears(worker, {"type": "progress", "value": 0.0})
        worker.say(type="cancel", job=1)
        self.assert_hears(worker, failed(1, "cancelled", "cancelled"), failed(None, "OSError: the child process was ended"))
        self.assert_stops(worker)

    def test_a_job_that_waits_behind_another_batch_is_cancelled_at_once_and_never_runs(self) -> None:
        worker = self.start("""
            def run(jobs):
                worker.progress(jobs, message=str([job.id for job in jobs]))
                while jobs[0].id == 1 and not jobs[0].cancelled:
                    time.sleep(0.001)
            """)
        worker.run(1, batch=1)
        worker.run(2, 3, batch=2)
        worker.run(4, batch=3)
        self.assert_hears(worker, {"type": "progress", "job": 1, "message": "[1]"})
        worker.say(type="cancel", job=2)
        worker.say(type="cancel", job=4)
        self.assert_hears(worker, failed(2, "cancelled", "cancelled"), failed(4, "cancelled", "cancelled"))  # the first still runs
        worker.say(type="cancel", job=1)
        self.assert_hears(worker, failed(1, "cancelled", "cancelled"), {"type": "progress", "job": 3, "message": "[3]"}, done(3))
        self.assert_stops(worker)

    def test_a_job_that_came_again_before_its_last_batch_was_over_can_be_cancelled(self) -> None:
        worker = self.start("""
            def run(jobs):
                if jobs[0].params.get("gate"):
                    jobs[0].done()
                    with open(jobs[0].params["gate"]) as gate:
                        gate.read()
                    return
                jobs[0].progress(0.0)
                while not jobs[0].cancelled:
                    time.sleep(0.001)
            """)
        gate = worker.place / "gate"
        os.mkfifo(gate)
        worker.run(1, params={"gate": str(gate)})
        self.assert_hears(worker, done(1))
        worker.run(1)
        worker.run(2)
        worker.say(type="cancel", job=2)
        self.assert_hears(worker, failed(2, "cancelled", "cancelled"))  # so the run before it has been heard too
        gate.write_text("on")
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.0})
        worker.say(type="cancel", job=1)
        self.assert_hears(worker, failed(1, "cancelled", "cancelled"))
        self.assert_stops(worker)

    def test_a_cancel_that_came_too_late_does_not_meet_the_same_job_when_it_comes_again(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[0].done({"cancelled": jobs[0].cancelled})
                with open(jobs[0].params["gate"]) as gate:
                    gate.read()
            """)
        gate = worker.place / "gate"
        os.mkfifo(gate)
        for _ in range(3):
            worker.run(1, params={"gate": str(gate)})
            self.assert_hears(worker, done(1, cancelled=False))
            worker.say(type="cancel", job=1)  # it has ended, its batch has not
            worker.run(1, params={"gate": str(gate)})
            worker.say(type="cancel", job=99)
            gate.write_text("on")
            self.assert_hears(worker, done(1, cancelled=False))
            worker.say(type="cancel", job=1)
            gate.write_text("on")
        self.assert_stops(worker)
        self.assertEqual(worker.log(), "")
