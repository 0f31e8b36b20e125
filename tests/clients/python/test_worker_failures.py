"""What goes wrong: whose fault it is, of which kind, and what the log says."""

from workers import WorkerTest, done, failed

_RAISES = """
            class OutOfMemoryError(RuntimeError): pass  # as in torch.cuda
            def run(jobs):
                bad = [job for job in jobs if job.params.get("bad") in (True, job.id)]
                if bad:
                    raise {what}
            """


class Failures(WorkerTest):
    def test_the_kind_of_a_failure_is_told_by_what_was_raised(self) -> None:
        for what, error, kind in (
            ("ValueError('no such sampler')", "ValueError: no such sampler", None),
            ("KeyError('seed')", "KeyError: 'seed'", None),
            ("AssertionError", "AssertionError", None),
            ("worker.InputError('no such sampler: x')", "no such sampler: x", "input"),
            ("MemoryError", "MemoryError", "oom"),
            ("OutOfMemoryError('2 GiB')", "OutOfMemoryError: 2 GiB", "oom"),
            ("RuntimeError('CUDA error: out of memory')", "RuntimeError: CUDA error: out of memory", "oom"),
            ("RuntimeError(\"cpu: can't allocate memory\")", "RuntimeError: cpu: can't allocate memory", "oom"),
            ("worker.JobError(bad[0], 'try again', 'transient')", "try again", "transient"),
            ("worker.JobError(bad[0], worker.InputError('no'))", "no", "input"),
            ("worker.JobError(bad[0], MemoryError())", "MemoryError", "oom"),
        ):
            with self.subTest(what=what):
                worker = self.start(_RAISES.format(what=what))
                worker.run(1, params={"bad": True})
                worker.run(2)
                self.assert_hears(worker, failed(1, error, kind), done(2))
                self.assert_stops(worker)
                self.assertEqual("Traceback" in worker.log(), not what.startswith("worker.InputError"))

    def test_what_is_raised_for_several_jobs_is_the_batchs_unless_one_is_named(self) -> None:
        worker = self.start(_RAISES.format(what="(worker.JobError(bad[0], 'mine') if bad[0].id == 2 else MemoryError('too much'))"))
        worker.run(1, 2, 3, params={"bad": 3})
        self.assert_hears(worker, failed(None, "MemoryError: too much", "oom"))
        worker.run(1, 2, 3, params={"bad": 2})
        self.assert_hears(worker, failed(2, "mine"), done(1), done(3))
        worker.run(1, 2, params={"bad": True})
        self.assert_hears(worker, failed(None, "MemoryError: too much", "oom"))
        self.assert_stops(worker)

    def test_what_has_ended_before_is_not_part_of_a_failure(self) -> None:
        worker = self.start("""
            def run(jobs):
                jobs[0].done()
                jobs[1].fail(MemoryError("its own"))
                if jobs[0].params.get("named"):
                    raise worker.JobError(jobs[0], "it has ended")
                raise ValueError("of the rest")
            """)
        worker.run(1, 2, 3, 4)
        self.assert_hears(worker, done(1), failed(2, "MemoryError: its own", "oom"), failed(None, "ValueError: of the rest"))
        worker.run(1, 2, 3)
        self.assert_hears(worker, done(1), failed(2, "MemoryError: its own", "oom"), failed(3, "ValueError: of the rest"))
        worker.run(1, 2)
        self.assert_hears(worker, done(1), failed(2, "MemoryError: its own", "oom"))
        worker.run(1, 2, 3, params={"named": True})  # a mistake of the program: nobody else is blamed for it
        self.assert_hears(worker, done(1), failed(2, "MemoryError: its own", "oom"), failed(None, "JobError: job 1: it has ended"))
        worker.run(5, 6, 7, 8)
        self.assert_hears(worker, done(5), failed(6, "MemoryError: its own", "oom"), failed(None, "ValueError: of the rest"))
        self.assert_stops(worker)

    def test_a_kind_that_ferry_does_not_know_is_the_programs_mistake(self) -> None:
        worker = self.start("""
            def run(jobs):
                if jobs[0].params["raise"]:
                    raise worker.JobError(jobs[0], "x", "strange")
                jobs[0].fail("x", kind="strange")
            """)
        for how in (False, True):
            worker.run(1, params={"raise": how})
            self.assert_hears(worker, failed(1, "ValueError: kind must be one of oom, input, transient, cancelled, is 'strange'"))
        self.assert_stops(worker)

    def test_a_result_that_is_no_json_fails_its_job_alone(self) -> None:
        worker = self.start("""
            def run(jobs):
                return [{"value": object() if job.id == 2 else 1} for job in jobs]
            """)
        worker.run(1, 2, 3)
        self.assert_hears(worker, done(1, value=1), failed(2, "TypeError: Object of type object is not JSON serializable"),
                          done(3, value=1))
        self.assert_stops(worker)

    def test_a_load_that_raises_ends_it_with_status_1_and_says_why(self) -> None:
        for what, told, kind in (("ValueError('no weights')", "ValueError: no weights", {}), ("MemoryError()", "MemoryError", {"kind": "oom"})):
            worker = self.start_unready(f"""
                def load(warm):
                    raise {what}
                def run(jobs):
                    pass
                """)
            self.assertEqual(worker.hear_ready(), {"type": "failed", "error": told, **kind})
            self.assert_ends(worker, 1)
            self.assertIn("Traceback", worker.log())
            self.assertIn(told, worker.log())

    def test_a_load_that_cannot_begin_with_its_parameters_says_so_in_one_line(self) -> None:
        for as_module in (False, True):
            worker = self.start_unready("""
                def load(warm):
                    raise worker.InputError(f"no such model: {warm['model']}")
                def run(jobs):
                    pass
                """, warm={"model": "sd99"}, as_module=as_module)
            self.assertEqual(worker.hear_ready(), {"type": "failed", "error": "no such model: sd99", "kind": "input"})
            self.assert_ends(worker, 1)
            self.assertEqual(worker.log(), "no such model: sd99\n")

    def test_sys_exit_in_run_ends_the_process(self) -> None:
        worker = self.start("""
            def run(jobs):
                sys.exit(3)
            """)
        worker.run(1, 2)
        self.assert_ends(worker, 3)
