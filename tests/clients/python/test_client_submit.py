"""Submitting: what is sent, what is refused, and what comes back."""

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock

from daemon import WAIT_SECONDS, DaemonTest

import ferry


class Submitting(DaemonTest):
    def test_a_job_is_submitted_waited_for_and_gives_its_result_and_artifacts(self) -> None:
        job = self.client.submit("sample", steps=7, name="first")
        result = job.result(WAIT_SECONDS)
        self.assertEqual(result["steps"], 7)
        self.assertEqual([artifact.name for artifact in result.artifacts], ["picture.png"])
        self.assertEqual(result.artifacts[0].bytes, 5)
        self.assertEqual(result.artifacts[0].path.read_bytes(), b"12345")
        seen = job.get()
        self.assertEqual((seen.id, seen.type, seen.name, seen.status, seen.priority), (job.id, "sample", "first", "completed", 50))
        self.assertEqual(seen.params, {"steps": 7})
        self.assertTrue(seen.completed and seen.is_finished)
        assert seen.created and seen.started and seen.finished
        self.assertEqual(seen.created.utcoffset(), timedelta(0))
        self.assertLessEqual(seen.created, seen.started)
        self.assertLessEqual(seen.started, seen.finished)
        self.assertIn("job_finished", [entry.what for entry in seen.history])
        self.assertEqual(seen.raw["id"], job.id)

    def test_keywords_go_over_params_and_defaults_are_the_daemons(self) -> None:
        job = self.client.submit("sample", params={"steps": 3, "seed": 1}, seed=2, held=True)
        self.assertEqual(job.get().params, {"steps": 3, "seed": 2})
        self.assertEqual(self.client.submit("sample", held=True).get().params, {"steps": 5})

    def test_what_is_refused_names_every_problem(self) -> None:
        why = self.refused(ferry.InvalidArgument, self.client.submit, "sample", steps=1000, seed="x", colour="red")
        self.assertEqual((why.code, why.http_status), ("invalid_argument", 400))
        self.assertEqual(sorted(problem.where for problem in why.problems), ["/params/colour", "/params/seed", "/params/steps"])
        self.assertIn("must be at most 100", str(why))
        why = self.refused(ferry.FerryError, self.client.submit, "sampel")
        self.assertEqual((type(why), why.message), (ferry.InvalidArgument, "there is no job type 'sampel'"))
        self.assertIn("sample", why.hint)
        self.assertEqual(self.refused(ferry.NotFound, self.client.get, 10**9).code, "not_found")

    def test_what_json_cannot_say_is_not_sent(self) -> None:
        self.refused(ValueError, self.client.submit, "sample", weights={"vis": float("nan")})
        self.refused(TypeError, self.client.submit, "sample", weights=object())
        self.refused(TypeError, self.client.get, "7")
        self.assertEqual(self.client.queue().counts.queued, 0)

    def test_paths_and_numbers_of_other_libraries_are_parameters(self) -> None:
        job = self.client.submit("sample", gate=Path("/x"), seed=True + 1, held=True)
        self.assertEqual(job.get().params, {"gate": "/x", "seed": 2, "steps": 5})

    def test_a_command_runs_where_we_are_unless_told_otherwise(self) -> None:
        here = os.path.realpath(os.getcwd())
        with tempfile.TemporaryDirectory() as there:
            for options, where in (({}, here), ({"base_dir": there}, there), ({"cwd": "/"}, "/")):
                job = self.client.submit("command", argv=["pwd", "-P"], **options)
                job.result(WAIT_SECONDS)
                self.assertEqual(job.log(), os.path.realpath(where) + "\n")

    def test_options_are_told(self) -> None:
        first = self.script("true", held=True)
        job = self.script("true", priority=70, name="night", delay=timedelta(hours=1), needs=[first], on_needs_failure="start", group="g")
        seen = job.get()
        self.assertEqual((seen.priority, seen.name, seen.needs, seen.on_needs_failure, seen.group),
                         (70, "night", (first.id,), "start", "g"))
        self.assertIsNotNone(seen.not_before)
        self.assertIsNone(job.position)
        self.assertTrue(job.waiting_for)
        self.assertTrue(first.get().held)

    def test_a_unique_key_and_an_idempotency_key_make_one_job(self) -> None:
        first = self.script("true", held=True, unique_key="nightly")
        second = self.script("false", held=True, unique_key="nightly")
        self.assertEqual((second.id, second.existing, first.existing), (first.id, True, False))
        self.assertEqual(first, second)
        third = self.script("true", held=True, idempotency_key="k-1")
        self.assertEqual(self.script("true", held=True, idempotency_key="k-1"), third)
        self.refused(ferry.Conflict, self.script, "false", held=True, idempotency_key="k-1")
        self.refused(ferry.InvalidArgument, self.script, "true", idempotency_key="two words")

    def test_a_job_says_which_devices_it_may_run_on(self) -> None:
        job = self.script("true", held=True, on={"device": "cpu"})
        self.assertEqual(job.get().on, {"device": "cpu"})
        self.assertIsNone(self.script("true", held=True).get().on)
        self.refused(ferry.InvalidArgument, self.script, "true", on={"node": "nowhere"})

    def test_many_are_taken_all_or_none(self) -> None:
        before = self.client.jobs(limit=1).jobs
        jobs = [ferry.NewJob("sample", {"steps": steps}, held=True) for steps in (1, 1000, 2)]
        why = self.refused(ferry.InvalidArgument, self.client.submit_many, jobs)
        self.assertEqual([problem.where for problem in why.problems], ["/jobs/1/params/steps"])
        self.assertEqual(self.client.jobs(limit=1).jobs, before)
        taken = self.client.submit_many([jobs[0], jobs[2]])
        self.assertEqual([job.get().params for job in taken], [{"steps": 1}, {"steps": 2}])
        self.assertEqual(self.client.submit_many([]), [])

    @mock.patch("ferry._requests.JOBS_PER_REQUEST_MAX", 3)
    def test_more_than_one_request_takes_go_in_several(self) -> None:
        jobs = [ferry.NewJob("command", {"argv": ["true"]}, held=True)] * 7
        taken = self.client.submit_many(jobs, idempotency_key="k-2")
        self.assertEqual(len({job.id for job in taken}), 7)
        self.assertEqual(self.client.submit_many(jobs, idempotency_key="k-2"), taken)
        why = self.refused(ferry.InvalidArgument, self.client.submit_many, [*jobs[:3], ferry.NewJob("sample", {"steps": 0}, held=True)])
        self.assertIn("the first 3 of the jobs are in the queue", why.hint)
        self.assertEqual(len(list(self.client.all_jobs(status="queued"))), 10)

    def test_a_sweep_makes_a_job_for_each_combination(self) -> None:
        jobs = self.client.sweep("sample", {"weights.vis": [0.1, 0.2], "seed": range(2)}, {"weights": {"edge": 1}}, held=True, group="s")
        self.assertEqual([job.get().params for job in jobs],
                         [{"steps": 5, "seed": seed, "weights": {"edge": 1, "vis": vis}} for vis in (0.1, 0.2) for seed in (0, 1)])
        self.assertEqual({job.get().group for job in jobs}, {"s"})
        self.refused(ferry.InvalidArgument, self.client.sweep, "sample", {"seed": range(1_001)})
        self.refused(ferry.InvalidArgument, self.client.sweep, "sample", {"seed": "123"})

    def test_map_gives_results_in_order_and_raises_for_the_one_that_failed(self) -> None:
        results = self.client.map("sample", [{"steps": steps} for steps in (3, 1, 2)], timeout=WAIT_SECONDS)
        self.assertEqual([result["steps"] for result in results], [3, 1, 2])
        results = self.client.map("sample", [{"steps": 1}, {"fail": "no such sampler"}, {"steps": 2}], timeout=WAIT_SECONDS)
        self.assertEqual(next(results).get("steps"), 1)
        why = self.refused(ferry.JobFailed, next, results)
        self.assertIn("no such sampler", str(why))
        self.assertEqual(why.job.status, "failed")
