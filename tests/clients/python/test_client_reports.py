"""Steering jobs and the queue, lists, and what the daemon tells of itself."""

from daemon import PACKAGES, WAIT_SECONDS, DaemonTest, until

import ferry


class Steering(DaemonTest):
    def test_jobs_are_moved_and_get_other_priorities_and_a_trial_changes_nothing(self) -> None:
        self.blocker()
        first, second, third = (self.script("true", name=name) for name in "abc")
        self.assertEqual([job.position for job in (first, second, third)], [1, 2, 3])
        changes = self.client.try_move(third, "top")
        self.assertEqual({change.job: (change.before.position, change.after.position) for change in changes},
                         {first.id: (1, 2), second.id: (2, 3), third.id: (3, 1)})
        self.assertEqual(third.get().position, 3)
        self.assertEqual(third.move("top").position, 1)
        self.assertEqual(third.move(2).position, 2)
        self.assertIn("position", str(self.refused(ferry.InvalidArgument, third.move, "middle")))
        self.assertEqual({change.job for change in self.client.try_priority(second, 60)}, {first.id, second.id, third.id})
        self.assertEqual((second.set_priority(60).position, second.get().priority), (1, 60))
        explanation = second.explain()
        self.assertEqual((explanation.position, explanation.devices[0].device), (1, "cpu"))
        self.assertEqual(explanation.waiting_for, second.get().waiting_for)
        self.assertEqual([job.name for job in self.client.queue(offset=1).jobs], ["b", "a", "c"])

    def test_a_queued_job_is_edited_held_released_and_cancelled(self) -> None:
        blocker = self.blocker()
        job = self.client.submit("sample", steps=3, seed=1)
        self.assertEqual(job.edit(name="renamed", params={"steps": 4, "seed": None}).params, {"steps": 4})
        self.assertEqual(job.get().name, "renamed")
        problem, = self.refused(ferry.InvalidArgument, job.edit, params={"steps": 0}).problems
        self.assertTrue(problem.where.endswith("/steps"))
        self.assertTrue(job.hold().held)
        self.assertFalse(job.release().held)
        self.assertEqual(job.cancel().status, "cancelled")
        self.assertEqual(job.cancel().status, "cancelled")
        self.refused(ferry.Conflict, blocker.edit, name="too late")

    def test_what_ended_is_tried_again_and_what_runs_suspended(self) -> None:
        job = self.script("exit 1")
        self.assertEqual(job.wait(WAIT_SECONDS).status, "failed")
        job.retry(from_scratch=True)
        self.assertEqual(job.wait(WAIT_SECONDS).attempts, 2)
        again = job.resume_as_new()
        self.assertEqual((again.wait(WAIT_SECONDS).status, again.get().resumed_from), ("failed", job.id))
        blocker = self.blocker()
        self.assertEqual(self.client.suspend_all(), 1)
        self.assertTrue(self.client.status().paused)
        until(blocker.follow(), lambda update: update.job.held_for == "suspended")
        self.assertEqual(self.client.resume_all(), 1)
        blocker.suspend()
        self.assertEqual(until(blocker.follow(), lambda update: update.job.held).status, "queued")

    def test_finished_jobs_are_cleared_by_type_age_and_number(self) -> None:
        self.client.clear()
        failed, done, drawn = self.script("exit 1"), self.script("true"), self.client.submit("sample", steps=1)
        self.client.wait_all([failed, done, drawn], WAIT_SECONDS)
        blocker = self.blocker()
        self.refused(ferry.Conflict, self.client.clear, jobs=[done, blocker])
        self.assertEqual(self.client.clear(older_than=3600), 0)
        self.assertEqual(self.client.clear(types="sample"), 1)
        self.assertEqual(self.client.clear(jobs=[failed, done]), 2)
        failures = self.client.failures()
        self.assertEqual([(each.type, each.kind) for each in failures if each.type == "command"], [("command", "exit_status")])
        rows = self.client.statistics_history(bucket="day", buckets=1)
        self.assertIn("sample", [row.type for row in rows if row.completed > 0])

    def test_the_status_tells_of_workers_and_of_tcp(self) -> None:
        gate = self.daemon.gate()
        job = self.client.submit("sample", steps=1, gate=str(gate))
        until(job.follow(), lambda update: update.status == "running")
        status = self.client.status()
        gate.open()
        self.assertIsNone(status.http.address)
        self.assertEqual(str(status.http.token_file), str(self.daemon.data / "token"))
        workers = [worker for device in status.devices for worker in device.workers]
        self.assertEqual([(worker.type, worker.state, worker.batch) for worker in workers if worker.state == "busy"],
                         [("sample", "busy", job.get().batch)])

    def test_the_queue_types_and_groups_are_paused_and_go_on(self) -> None:
        self.client.pause()
        job = self.script("true", group="night")
        self.assertTrue(self.client.queue().paused)
        self.client.unpause()
        job.wait(WAIT_SECONDS)
        self.client.hold_type("command", "a look at it")
        self.assertEqual(self.client.status().held_types, {"command": "a look at it"})
        self.client.release_type("command")
        self.refused(ferry.NotFound, self.client.release_type, "no such")
        group = self.client.change_group("night", parallel=2, paused=True)
        self.assertEqual((group.name, group.parallel, group.paused), ("night", 2, True))
        self.assertEqual(self.client.groups(), (group,))
        self.client.change_group("night", parallel=0, paused=False)

    def test_lists_are_read_page_by_page(self) -> None:
        jobs = [self.script("true", name=f"list-{number % 2}", held=True) for number in range(7)]
        page = self.client.jobs(limit=3)
        self.assertEqual([job.id for job in page], [job.id for job in reversed(jobs[4:])])
        self.assertEqual(len(page), 3)
        page = self.client.jobs(limit=3, before=page.next_before)
        self.assertEqual([job.id for job in page], [job.id for job in reversed(jobs[1:4])])
        self.assertIsNone(page.jobs[0].params)
        self.assertEqual([job.id for job in self.client.all_jobs(name="list-1")], [job.id for job in reversed(jobs[1::2])])
        self.assertEqual(list(self.client.all_jobs(type="sample", status="running")), [])
        for job in jobs:
            job.cancel()
        self.assertEqual(len(self.client.jobs(status=["cancelled", "failed"], name="list-")), 7)
        self.assertGreaterEqual(self.client.clear(["cancelled"]), 7)
        self.assertEqual(len(self.client.jobs(status="cancelled")), 0)
        self.assertEqual(len(self.client.jobs(cleared=True, name="list-")), 7)
        self.assertIsNotNone(jobs[0].get().cleared)

    def test_the_daemon_tells_of_itself(self) -> None:
        self.client.submit("sample").result(WAIT_SECONDS)
        status = self.client.status()
        self.assertEqual((status.data_dir, status.devices[0].kind, status.devices[0].slots), (self.daemon.data, "cpu", 1))
        text = (PACKAGES / "pyproject.toml").read_text()
        self.assertIn(f'\nversion = "{status.version}"\n', text)
        sample, = (each for each in self.client.job_types() if each.name == "sample")
        self.assertEqual((sample.description, sample.parameters["properties"]["steps"]["maximum"]), ("Draws", 100))
        statistics = self.client.statistics()
        self.assertGreaterEqual(statistics.types["sample"].jobs, 1)
        self.assertEqual(statistics.promised_starts[0].from_seconds, 0)
        blocker, job = self.blocker(), self.script("true")
        plan = self.client.batches()
        self.assertEqual(([batch.jobs for batch in plan.running], [batch.jobs for batch in plan.next]), ([(blocker.id,)], [(job.id,)]))
        self.assertTrue(plan.is_whole)
        self.assertEqual(self.client.history(job)[0].what, "job_queued")
        self.assertIn(f"job {job.id}", repr(self.client.job(job.id)))
