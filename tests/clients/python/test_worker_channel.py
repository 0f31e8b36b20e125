"""Between ferry and the worker there is nothing but the protocol, whatever the program prints, forks or is told."""

import json
import os

from workers import LINE_BYTES_MAX, WorkerTest, done, failed

_PRINTS = """
            def shout(where):
                print("print", where)
                print("no end", where, end="")
                sys.__stdout__.write(f"old stdout {where}\\n")
                os.write(1, f"descriptor {where}\\n".encode())
                subprocess.run(["/bin/sh", "-c", f"echo child {where}"], check=True)
                os.system(f"echo system {where}")
            """
_PRINTED = ("print", "no end", "old stdout", "descriptor", "child", "system")


class Channel(WorkerTest):
    def assert_logged(self, log: str, where: str) -> None:
        for what in _PRINTED:
            self.assertIn(f"{what} {where}", log)

    def test_whatever_is_printed_goes_to_the_log(self) -> None:
        worker = self.start(_PRINTS + """
            def load():
                shout("in load")
            def run(jobs):
                shout("in run")
                jobs[0].progress(0.5)
                sys.__stdout__.flush()
            """)
        worker.run(1)
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.5}, done(1))
        self.assert_stops(worker)
        self.assert_logged(worker.log(), "in load")
        self.assert_logged(worker.log(), "in run")

    def test_what_is_printed_is_in_the_log_at_once(self) -> None:
        worker = self.start("""
            def run(jobs):
                print("I begin")
                jobs[0].progress(0.0)
                time.sleep(1000)
            """)
        worker.run(1)
        self.assert_hears(worker, {"type": "progress", "job": 1, "value": 0.0})
        self.assertEqual(worker.log(), "I begin\n")

    def test_what_was_printed_before_serve_spoils_no_line(self) -> None:
        worker = self.start("""
            sys.stdout.reconfigure(line_buffering=False, write_through=False)
            os.write(1, b"early\\nwithout an end")
            sys.stdout.write("buffered")
            def run(jobs):
                pass
            """)
        self.assertEqual(worker.strays, [b"early", b"without an end"])
        self.assertEqual(worker.log(), "buffered")
        worker.run(1)
        self.assert_hears(worker, done(1))
        self.assert_stops(worker)

    def test_a_file_served_by_the_module_may_print_as_it_is_imported(self) -> None:
        worker = self.start(_PRINTS + """
            os.write(1, b"without an end")
            shout("at import")
            def load(warm):
                return warm["model"]
            def run(jobs, model):
                return [{"model": model}]
            """, warm={"model": "sd15"}, as_module=True)
        worker.run(1)
        self.assert_hears(worker, done(1, model="sd15"))
        self.assert_stops(worker)
        self.assert_logged(worker.log(), "at import")

    def test_errors_of_a_file_served_by_the_module_are_known_by_class(self) -> None:
        worker = self.start("""
            def run(jobs):
                raise worker.JobError(jobs[0], "no such sampler", "input")
            """, as_module=True)
        worker.run(1)
        self.assert_hears(worker, failed(1, "no such sampler", "input"))
        self.assert_stops(worker)

    def test_standard_input_is_empty_for_the_program_and_its_children(self) -> None:
        worker = self.start("""
            def run(jobs):
                child = subprocess.run(["/bin/cat"], stdout=subprocess.PIPE, check=True)
                jobs[0].done({"child": child.stdout.decode(), "own": sys.stdin.read(), "descriptor": os.read(0, 10).decode()})
            """)
        worker.run(1)
        worker.run(2)  # lies in the pipe, for whoever reads it
        for number in (1, 2):
            self.assert_hears(worker, done(number, child="", own="", descriptor=""))
        self.assert_stops(worker)

    def test_children_that_outlive_the_worker_do_not_hold_its_pipes(self) -> None:
        worker = self.start("""
            def run(jobs):
                child = subprocess.Popen(["/bin/sh", "-c", "exec cat " + jobs[0].params["gate"]], start_new_session=True)
                return [{"pid": child.pid}]
            """)
        gate = worker.place / "gate"
        os.mkfifo(gate)
        worker.run(1, params={"gate": str(gate)})
        pid = worker.hear()["result"]["pid"]
        self.assert_stops(worker)  # reads to the end of the pipe, while the child lives
        self.assertTrue(os.path.exists(f"/proc/{pid}"))
        gate.write_text("end")

    def test_forked_children_have_no_word_with_ferry_and_a_term_to_them_is_theirs(self) -> None:
        worker = self.start("""
            import multiprocessing
            fork = multiprocessing.get_context("fork")
            def speak(job):
                job.progress(0.5)
            def run(jobs):
                speaking = fork.Process(target=speak, args=(jobs[0],))
                waiting = fork.Process(target=signal.pause)
                speaking.start(), waiting.start()
                waiting.terminate()
                speaking.join(), waiting.join()
                jobs[0].done({"speaking": speaking.exitcode, "waiting": waiting.exitcode})
            """)
        for number in (1, 2):  # it goes on
            worker.run(number)
            self.assert_hears(worker, done(number, speaking=1, waiting=-15))
        self.assert_stops(worker)

    def test_lines_that_say_nothing_are_passed_over_and_told_in_the_log(self) -> None:
        worker = self.start("""
            def run(jobs):
                pass
            """)
        for line in (b"", b"no json", b"[1]", b"null", b"{\"type\":\"dance\"}", b"{}", b"\xff\xfe", b"[" * 100_000,
                     b"{\"type\":\"cancel\"}", b"{\"type\":\"cancel\",\"job\":\"one\"}", b"{\"type\":\"cancel\",\"job\":[1]}"):
            worker.say_line(line)
        worker.run(1)
        self.assert_hears(worker, done(1))
        self.assert_stops(worker)
        self.assertEqual(worker.log().count("passed over"), 8, worker.log())
        self.assertIn("dance", worker.log())

    def test_a_batch_that_cannot_be_understood_ends_it_rather_than_being_waited_for(self) -> None:
        good = {"id": 1, "params": {}, "dir": "/tmp"}
        for jobs in (None, 5, [5], [{**good, "id": "one"}], [{"id": 1}], [{**good, "dir": "relative"}], [{**good, "params": [1]}],
                     [good, {**good, "resume_from": 5}]):
            with self.subTest(jobs=jobs):
                worker = self.start("""
                    def run(jobs):
                        pass
                    """)
                worker.say(type="run", batch=1, jobs=jobs)
                self.assert_ends(worker, 1)
                self.assertIn("cannot run what ferry asked for", worker.log())

    def test_a_batch_of_no_jobs_is_no_work(self) -> None:
        worker = self.start("""
            def run(jobs):
                raise AssertionError("called for nothing")
            """)
        worker.say(type="run", batch=1, jobs=[])
        self.assert_stops(worker)
        self.assertEqual(worker.log(), "")

    def test_large_lines_pass_up_to_the_bound_and_larger_ones_fail_their_job(self) -> None:
        worker = self.start("""
            def run(jobs):
                return [{"text": "ß" * (job.params["length"] // 2)} for job in jobs]
            """)
        frame = len(json.dumps({"type": "done", "result": {"text": ""}, "job": 1})) + 1
        for length, fits in ((LINE_BYTES_MAX - frame - LINE_BYTES_MAX % 2, True), (LINE_BYTES_MAX - frame + 2, False)):
            worker.run(1, params={"length": length, "filler": "x" * (LINE_BYTES_MAX - 1000)})
            told = worker.hear()
            self.assertEqual(told["type"], "done" if fits else "failed", worker.log()[:2000])
            if fits:
                self.assertEqual(len(told["result"]["text"]), length // 2)
            else:
                self.assertIn("put what is large into a file", told["error"])
        self.assert_stops(worker)

    def test_a_large_result_fails_its_job_alone(self) -> None:
        worker = self.start("""
            def run(jobs):
                return [{"text": "x" * (2_000_000 if job.id == 2 else 1)} for job in jobs]
            """)
        worker.run(1, 2, 3)
        self.assert_hears(worker, done(1, text="x"))
        told = worker.hear()
        self.assertEqual((told["type"], told["job"]), ("failed", 2))
        self.assert_hears(worker, done(3, text="x"))
        self.assert_stops(worker)

    def test_text_that_is_no_unicode_and_errors_without_bound_still_make_a_line(self) -> None:
        worker = self.start("""
            def run(jobs):
                raise ValueError("\\udcff" + "ü" * 3_000_000)
            """)
        worker.run(1)
        told = worker.hear()
        self.assertTrue(told["error"].startswith("ValueError: ?üü") and told["error"].endswith("ü…"), told["error"][:50])
        self.assertLess(len(told["error"]), 20_000)
        self.assert_stops(worker)
