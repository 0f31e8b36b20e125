"""Batches of one job and of many, and how their jobs are told as done."""

import os

from workers import WorkerTest, done, failed


class Batches(WorkerTest):
    def test_it_loads_once_with_the_warm_parameters_and_then_runs_batch_after_batch(self) -> None:
        worker = self.start("""
            def load(warm):
                print("loading")
                return {"model": warm["model"], "rank": warm["lora.rank"], "batches": 0}
            def run(jobs, model):
                model["batches"] += 1
                for job in jobs:
                    job.done({**model, "params": job.params})
            """, warm={"model": "sd15", "lora.rank": None})
        for batch in (1, 2):
            worker.run(7, params={"seed": batch}, batch=batch)
            self.assert_hears(worker, done(7, model="sd15", rank=None, batches=batch, params={"seed": batch}))
        self.assert_stops(worker)
        self.assertEqual(worker.log().count("loading"), 1)

    def test_load_and_run_need_not_take_what_they_do_not_use(self) -> None:
        worker = self.start("""
            def run(jobs):
                pass
            """)
        worker.run(1)
        self.assert_hears(worker, done(1))
        self.assert_stops(worker)

    def test_jobs_end_in_any_order_each_when_it_is_done(self) -> None:
        worker = self.start("""
            def run(jobs):
                for number in (3, 1, 2):
                    job = next(job for job in jobs if job.id == number)
                    job.fail("no") if number == 1 else job.done({"number": number})
                    with open(job.params["gate"]) as gate:
                        gate.read()
            """)
        gate = worker.place / "gate"
        os.mkfifo(gate)
        worker.run(1, 2, 3, params={"gate": str(gate)})
        for expected in (done(3, number=3), failed(1, "no"), done(2, number=2)):
            self.assert_hears(worker, expected)  # before run() is let go on
            gate.write_text("on")
        self.assert_stops(worker)

    def test_results_may_be_returned_and_what_has_ended_before_stays_as_it_is(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[1].fail("not this one", kind="transient")
                return [{"number": job.id} if job.id != 3 else None for job in jobs]
            """)
        worker.run(1, 2, 3)
        self.assert_hears(worker, failed(2, "not this one", "transient"), done(1, number=1), done(3))
        self.assert_stops(worker)

    def test_what_run_returns_must_be_one_result_a_job(self) -> None:
        worker = self.start("""
            def run(jobs):
                return {"one": [], "object": {}, "word": ["done"]}[jobs[0].params["returned"]]
            """)
        for returned, error in (("one", "TypeError: run() returned 0 results for 1 jobs"),
                                ("object", "TypeError: run() returned dict"),
                                ("word", "TypeError: the result of a job is a dict, not str")):
            worker.run(1, params={"returned": returned})
            told = worker.hear()
            self.assertEqual((told["type"], told["job"]), ("failed", 1))
            self.assertTrue(told["error"].startswith(error), told)
        self.assert_stops(worker)

    def test_a_generator_is_not_taken_for_work_that_was_done(self) -> None:
        worker = self.start("""
            def run(jobs):
                yield jobs[0], {}
            """)
        worker.run(1)
        told = worker.hear()
        self.assertEqual(told["type"], "failed")
        self.assertIn("run() returned generator", told["error"])
        self.assert_stops(worker)

    def test_progress_artifacts_and_checkpoints_are_told_of_their_job(self) -> None:
        worker = self.start("""
            def run(jobs):
                job = jobs[0]
                assert job.resume_from == Path("/old/checkpoint.pt"), job.resume_from
                job.progress(0.5)
                job.progress(step=2, total=4, message="half – of it", metrics={"loss": float("nan"), "rate": 0.1})
                (job.dir / "a").mkdir()
                (job.dir / "a" / "picture.png").write_text("whole")
                job.artifact("a/picture.png")
                job.checkpoint(job.dir / "a" / "picture.png", 2)
                job.done({"path": Path("a/picture.png"), "loss": float("-inf")})
                job.progress(1)
            """)
        worker.run(1, resume_from="/old/checkpoint.pt")
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.5},
                          {"type": "progress", "job": 1, "step": 2, "total": 4, "message": "half – of it",
                           "metrics": {"loss": "nan", "rate": 0.1}},
                          {"type": "artifact", "job": 1, "path": "a/picture.png"},
                          {"type": "checkpoint", "job": 1, "path": "a/picture.png", "step": 2},
                          done(1, path="a/picture.png", loss="-inf"))
        self.assert_stops(worker)

    def test_files_that_are_not_there_or_not_the_jobs_own_are_refused(self) -> None:
        worker = self.start("""
            def run(jobs):
                job = jobs[0]
                refused = []
                for path in ("missing.png", "../log", job.dir, "/etc/passwd"):
                    try:
                        job.artifact(path)
                    except (FileNotFoundError, ValueError) as why:
                        refused.append(type(why).__name__)
                job.done({"refused": refused})
            """)
        worker.run(1)
        self.assert_hears(worker, done(1, refused=["FileNotFoundError", "ValueError", "ValueError", "ValueError"]))
        self.assert_stops(worker)

    def test_progress_of_all_that_live_is_one_line_and_of_some_a_line_each(self) -> None:
        worker = self.start("""
            def run(jobs):
                worker.progress(jobs[:2], step=1, total=3)
                worker.progress(jobs, step=2, total=3)
                jobs[0].done()
                worker.progress(jobs, step=3, total=3)
                jobs[1].done()
                worker.progress(jobs, 1.0)
                worker.progress([], 1.0)
            """)
        worker.run(1, 2, 3)
        self.assert_hears(worker, {"type": "progress", "job": 1, "step": 1, "total": 3},
                          {"type": "progress", "job": 2, "step": 1, "total": 3},
                          {"type": "progress", "step": 2, "total": 3}, done(1),
                          {"type": "progress", "step": 3, "total": 3}, done(2),
                          {"type": "progress", "job": 3, "value": 1.0}, done(3))
        self.assert_stops(worker)

    def test_no_job_ends_twice(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[0].done()
                refused = []
                for again in (jobs[0].done, lambda: jobs[0].fail("x"), lambda: jobs[0].checkpoint(".", 1)):
                    try:
                        again()
                    except (RuntimeError, ValueError) as why:
                        refused.append(type(why).__name__)
                jobs[1].done({"refused": refused, "ended": [job.ended for job in jobs]})
            """)
        worker.run(1, 2)
        self.assert_hears(worker, done(1), done(2, refused=["RuntimeError", "RuntimeError", "ValueError"], ended=[True, False]))
        self.assert_stops(worker)

    def test_a_further_batch_waits_for_the_one_before(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[0].progress(0.0)
                with open(jobs[0].params["gate"]) as gate:
                    gate.read()
            """)
        gates = [worker.place / name for name in "ab"]
        for number, gate in enumerate(gates, 1):
            os.mkfifo(gate)
            worker.run(number, params={"gate": str(gate)}, batch=number)
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.0})
        gates[0].write_text("on")
        self.assert_hears(worker, done(1), {"type": "progress", "job": 2, "value": 0.0})
        gates[1].write_text("on")
        self.assert_hears(worker, done(2))
        self.assert_stops(worker)

    def test_lines_from_many_threads_stay_whole(self) -> None:
        worker = self.start("""
            def run(jobs):
                def tell(job):
                    for step in range(200):
                        job.progress(step=step, total=200, message="x" * 5000)
                    job.done()
                threads = [threading.Thread(target=tell, args=(job,)) for job in jobs]
                for each in threads:
                    each.start()
                for each in threads:
                    each.join()
            """)
        worker.run(1, 2, 3)
        steps: dict[int, list[int]] = {1: [], 2: [], 3: []}
        ended = 0
        while ended < 3:
            told = worker.hear()
            if told["type"] == "progress":
                steps[told["job"]].append(told["step"])
            else:
                self.assertEqual(told, done(told["job"]))
                ended += 1
        self.assertEqual(steps, dict.fromkeys((1, 2, 3), list(range(200))))
        self.assert_stops(worker)

    def test_memory_of_the_device_is_told_when_ready_and_before_the_last_job_ends(self) -> None:
        worker = self.start_unready("""
            import types
            class cuda:  # stands for torch.cuda
                peak = 5 << 30
                is_initialized = staticmethod(lambda: True)
                device_count = staticmethod(lambda: 2)
                memory_reserved = staticmethod(lambda device: 1 + device)
                max_memory_reserved = staticmethod(lambda device: cuda.peak)
                @staticmethod
                def reset_peak_memory_stats(device):
                    cuda.peak = 0
            def load():
                sys.modules["torch"] = types.SimpleNamespace(cuda=cuda)
            def run(jobs):
                jobs[1].done()
                cuda.peak = max(cuda.peak, 3 << 20)
                if jobs[0].params.get("raise"):
                    raise MemoryError
            """)
        self.assertEqual(worker.hear_ready(), {"type": "ready", "memory_mib": 1})
        worker.run(1, 2)
        self.assert_hears(worker, done(2), {"type": "memory", "mib": 6}, done(1))
        worker.run(1, 2, 3, params={"raise": True})
        self.assert_hears(worker, done(2), {"type": "memory", "mib": 6}, failed(None, "MemoryError", "oom"))
        self.assert_stops(worker)
