"""Keeps a model loaded and runs ferry's jobs on it. Standard library alone.

    from ferry import worker

    def load(warm):                     # once; warm: the parameters named by the job type's warm_key, by dotted path
        return Model(warm["model"])

    def run(jobs, model):               # for each batch: one job or more
        pictures = model.sample([job.params["prompt"] for job in jobs])
        for job, picture in zip(jobs, pictures):
            picture.save(job.dir / "picture.png")
            job.done({"path": "picture.png"})

    worker.serve(load, run)

Either may take fewer arguments: load() and run(jobs) will do. `python3 -m ferry.worker FILE` serves load and run of that file.

How a job ends: by its done() or fail(), as soon as it can; ferry takes it out of the batch right then. When run() returns, the
jobs that have not ended are done: with its results, if it returns a list of them (one a job, each a dict or None), else without.
A cancelled one has failed as such. When run() raises,

- a JobError fails the job that it names, and run() is called again with the others;
- anything else fails the one job that had not ended, or, where there are several, the batch as a whole: ferry runs that again in
  halves until it knows which one it is. InputError says that another try would fail alike; what ran out of memory is told as such.

Standard output belongs to ferry: from serve() on, what is printed there (by C libraries and child processes too) goes to standard
error, which is the log, and standard input is empty. A SIGTERM ends the process with status 143: at once between batches, else
when run() returns, and after `term_seconds` at the latest; run() can see it coming (Job.stopping).
"""

import importlib
import inspect
import json
import os
import queue
import select
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import FrameType
from typing import Any, Callable, Iterable, Mapping, NoReturn, Optional, Sequence, Union

from ferry._messages import InputError, check_kind, encoded, failure, named

_TERMINATED = 128 + signal.SIGTERM
_MIB = 1 << 20


class JobError(Exception):
    """What went wrong with one job of a batch. `error`: a text, or what was caught; `kind` as for Job.fail()."""

    def __init__(self, job: "Job", error: Union[str, BaseException], kind: Optional[str] = None) -> None:
        super().__init__(f"job {job.id}: {error}")
        check_kind(kind)
        self.job, self.error, self.kind = job, error, kind


class Cancelled(JobError):
    """Raised by Job.raise_if_cancelled()."""

    def __init__(self, job: "Job") -> None:
        super().__init__(job, "cancelled", "cancelled")


class Job:
    """A job of a batch. Its methods may be called from any thread; a job that has ended takes nothing more but progress, unheard.

    id           ferry's number
    params       its parameters
    dir          where its files go; relative paths given to artifact() and checkpoint() begin there
    resume_from  the checkpoint that it continues from, or None
    part         {"first_item", "items", "of"} of a job that runs in parts, whose items in `params` are then those of this one; else None
    cancelled    ferry asked for its end: leave it, the rest of the batch goes on
    ended        done or failed
    """

    def __init__(self, session: "_Session", told: Mapping[str, Any]) -> None:
        """Errors: KeyError, TypeError, ValueError for what ferry should not have said."""
        self.id: int = told["id"]
        self.params: dict[str, Any] = told.get("params") or {}
        self.dir = Path(told["dir"])
        self.resume_from: Optional[Path] = Path(told["resume_from"]) if told.get("resume_from") else None
        self.part: Optional[dict[str, int]] = told.get("part")
        if type(self.id) is not int or not isinstance(self.params, dict) or not self.dir.is_absolute():
            raise ValueError("a job needs a number, an object of parameters and an absolute directory")
        self.cancelled = False
        self.ended = False
        self._session = session
        self._batch: list[Job] = []

    @property
    def stopping(self) -> bool:
        """The process is about to end, by SIGTERM: jobs that have not ended will be tried again."""
        return self._session.stopping.is_set()

    def raise_if_cancelled(self) -> None:
        """Raises Cancelled, also where the whole process is stopping. In a batch that costs the others what was done for them: see
        without_cancelled()."""
        if self.cancelled or self.stopping:
            raise Cancelled(self)

    def progress(self, value: Optional[float] = None, *, step: Optional[int] = None, total: Optional[int] = None,
                 message: Optional[str] = None, metrics: Optional[Mapping[str, float]] = None) -> None:
        """value: from 0 to 1. step of total. Metrics may be NaN or infinite."""
        progress([self], value, step=step, total=total, message=message, metrics=metrics)

    def artifact(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Announces a file that is whole. Errors: FileNotFoundError; ValueError where it lies outside `dir`."""
        self._session.say(self, {"type": "artifact", "path": self._relative(path)})

    def checkpoint(self, path: Union[str, "os.PathLike[str]"], step: int) -> None:
        """Announces a file, whole and on disk, from which the job can go on after that step. Errors: as for artifact()."""
        self._session.say(self, {"type": "checkpoint", "path": self._relative(path), "step": step})

    def done(self, result: Optional[Mapping[str, Any]] = None) -> None:
        """Errors: ValueError for a result of more than 1 MiB, TypeError for one that is no JSON object: it has not ended then."""
        if result is not None and not isinstance(result, Mapping):
            raise TypeError(f"the result of a job is a dict, not {type(result).__name__}")
        self._session.say(self, {"type": "done", **({"result": result} if result is not None else {})}, ends=True)

    def fail(self, error: Union[str, BaseException], kind: Optional[str] = None) -> None:
        """kind: "oom", "input", "transient" or "cancelled"; left out, an exception's own ("input" for InputError, "oom")."""
        check_kind(kind)
        self._session.say(self, failure(error, kind), ends=True)

    def _relative(self, path: Union[str, "os.PathLike[str]"]) -> str:
        relative = os.path.relpath(self.dir / path, self.dir)
        if relative.split(os.sep)[0] in ("..", "."):
            raise ValueError(f"{path} does not lie in the job's directory {self.dir}")
        if not (self.dir / relative).exists():
            raise FileNotFoundError(f"{path} is not in the job's directory {self.dir}")
        return relative


def progress(jobs: Sequence[Job], value: Optional[float] = None, *, step: Optional[int] = None, total: Optional[int] = None,
             message: Optional[str] = None, metrics: Optional[Mapping[str, float]] = None) -> None:
    """Job.progress() of several jobs that are equally far."""
    given = {"value": value, "step": step, "total": total, "message": message, "metrics": metrics}
    if jobs:
        jobs[0]._session.progress(jobs, {name: each for name, each in given.items() if each is not None})


def without_cancelled(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that are still to be worked on. Those that ferry asked to end have failed as cancelled on return."""
    jobs = list(jobs)
    for job in jobs:
        if job.cancelled and not job.ended:
            job.fail("cancelled", "cancelled")
    return [job for job in jobs if not job.ended]


def serve(load: Callable[..., Any], run: Callable[..., Any], *, term_seconds: float = 1.0) -> None:
    """Loads, then runs batch after batch. Returns when ferry asks to stop and all jobs have ended: let the program end with
    status 0.

    To be called once, in the main thread. What load() raises is told to ferry and comes through, so the program ends with status 1; an InputError as
    one line. Ends the process where ferry is gone (status 1) and at SIGTERM (status 143)."""
    _Session(term_seconds).serve(load, run)


def _takes(function: Callable[..., Any], count: int) -> int:
    """How many of `count` arguments the function takes."""
    kinds = [each.kind for each in inspect.signature(function).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return count
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(count, sum(kind in positional for kind in kinds))


def _cuda() -> Any:
    """torch.cuda where the program uses it, else None."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None


def _cuda_mib(measure: str) -> Optional[int]:
    """The sum over all devices of what that function of torch.cuda answers."""
    cuda = _cuda()
    if cuda is None:
        return None
    used: int = sum(getattr(cuda, measure)(device) for device in range(cuda.device_count()))
    return -(-used // _MIB)


def _log(text: str) -> None:
    """Straight to the descriptor: sys.stderr may be held by a thread that is stuck."""
    try:
        os.write(2, f"ferry.worker: {text}\n".encode("utf-8", "replace"))
    except OSError:
        pass  # nobody reads the log


class _Session:
    """The two ends of the protocol. The main thread loads and runs; one thread listens to ferry, so that a cancel is heard
    meanwhile; and one watches for SIGTERM and for ferry's end, and says nothing, so that it is never stuck."""

    def __init__(self, term_seconds: float = 1.0) -> None:
        self.stopping = threading.Event()
        self._term_seconds = term_seconds
        self._at_rest = threading.Event()
        self._at_rest.set()
        self._returned = False
        self._lock = threading.RLock()  # of what is written and of who has ended, which must agree
        self._batches: "queue.SimpleQueue[Optional[list[Job]]]" = queue.SimpleQueue()
        self._jobs: dict[int, Job] = {}  # the newest with that number
        self._taken: list[Job] = []  # the batch that run() works on
        self._claim_descriptors()
        self._claim_signals()
        threading.Thread(target=self._watch, daemon=True).start()

    def _claim_descriptors(self) -> None:
        self._ferry_says = os.fdopen(os.dup(0), "rb")
        self._to_ferry = os.dup(1)
        os.set_blocking(self._to_ferry, True)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        sys.stdout.flush()  # what was printed before goes to the log too
        sys.stdout = sys.stderr

    def _claim_signals(self) -> None:
        """Python's own handlers wait for the main thread, which may be in a library for long: the pipe is written to at once."""
        self._signals, into = os.pipe()
        os.set_blocking(into, False)

        def handle(number: int, frame: Optional[FrameType]) -> None:
            try:
                os.write(into, bytes([number]))  # once more, for programs that take set_wakeup_fd() for themselves
            except BlockingIOError:
                pass
        signal.signal(signal.SIGTERM, handle)
        signal.set_wakeup_fd(into, warn_on_full_buffer=False)

        # Forked children, such as those of multiprocessing, have no word with ferry. A SIGTERM to one of them ends that one; were
        # it to come before that is arranged, it would be written into the pipe of this process.
        def in_child() -> None:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.close(self._to_ferry)
            self._to_ferry = -1
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.register_at_fork(before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM}), after_in_child=in_child,
                            after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM}))

    def _watch(self) -> NoReturn:
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        poll.register(self._to_ferry, 0)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._to_ferry:
                    self._end_without_ferry()
                if signal.SIGTERM in os.read(self._signals, 512):
                    self.stopping.set()
                    self._at_rest.wait(self._term_seconds)
                    os._exit(_TERMINATED)

    def _end_without_ferry(self) -> NoReturn:
        if not self._returned:
            _log("ferry no longer reads what this worker says: it ends")
        os._exit(0 if self._returned else 1)

    def _listen(self) -> None:
        for line in self._ferry_says:
            try:
                told = json.loads(line)
            except (ValueError, RecursionError):
                told = None
            kind = told.get("type") if isinstance(told, dict) else None
            if kind == "run":
                self._take_run(told)
            elif kind == "cancel":
                self._take_cancel(told.get("job"))
            elif kind == "stop":
                self._batches.put(None)
            else:
                _log(f"passed over what it does not understand: {line[:200]!r}")
        self._batches.put(None)

    def _take_run(self, told: Mapping[str, Any]) -> None:
        try:
            batch = [Job(self, each) for each in told["jobs"]]
        except (AttributeError, KeyError, TypeError, ValueError) as why:
            _log(f"cannot run what ferry asked for, and so it ends ({named(why)}): {str(told)[:200]}")
            os._exit(1)  # ferry would wait for these jobs without end
        with self._lock:
            for job in batch:
                job._batch = batch
                self._jobs[job.id] = job
        self._batches.put(batch)

    def _take_cancel(self, number: Any) -> None:
        with self._lock:
            job = self._jobs.get(number) if type(number) is int else None
            if job is None:
                return  # it has ended meanwhile
            job.cancelled = True
            if not job.ended and job._batch is not self._taken:
                job.fail("cancelled", "cancelled")  # it waits behind another batch, which may take long

    def serve(self, load: Callable[..., Any], run: Callable[..., Any]) -> None:
        loaded = self._load(load)
        threading.Thread(target=self._listen, daemon=True).start()
        memory_mib = _cuda_mib("memory_reserved")
        self._write(b"\n")  # what was printed before serve() may have left a line without an end
        self._write(encoded({"type": "ready", **({} if memory_mib is None else {"memory_mib": memory_mib})}))
        arguments = (loaded,)[:_takes(run, 2) - 1]
        while (batch := self._batches.get()) is not None:
            with self._lock:
                self._taken = batch
            self._at_rest.clear()
            self._run_batch(lambda jobs: run(jobs, *arguments), batch)
            self._at_rest.set()
            with self._lock:
                for job in batch:
                    if self._jobs.get(job.id) is job:
                        del self._jobs[job.id]
        self._returned = True

    def _load(self, load: Callable[..., Any]) -> Any:
        warm = json.loads(os.environ.get("FERRY_WARM_PARAMS") or "{}")
        try:
            return load(*(warm,)[:_takes(load, 1)])
        except Exception as why:
            self._write(b"\n" + encoded(failure(why)))  # of the batch that it was started for
            if isinstance(why, InputError):
                raise SystemExit(str(why)) from None
            raise

    def _run_batch(self, run: Callable[[list[Job]], Any], batch: list[Job]) -> None:
        cuda = _cuda()
        for device in range(cuda.device_count() if cuda is not None else 0):
            cuda.reset_peak_memory_stats(device)
        while jobs := [job for job in batch if not job.ended]:
            try:
                results = run(list(jobs))
                self._end_if_stopping()
                _conclude(jobs, results)
            except Exception as why:  # the last place that can tell ferry why
                self._end_if_stopping()
                if not isinstance(why, (InputError, Cancelled)):
                    traceback.print_exc()
                self._fail(jobs, why)

    def _end_if_stopping(self) -> None:
        """After a SIGTERM nobody knows whether run() did all its work: its jobs are left to another attempt."""
        if self.stopping.is_set():
            os._exit(_TERMINATED)

    def _fail(self, jobs: Sequence[Job], why: Exception) -> None:
        with self._lock:
            live = [job for job in jobs if not job.ended]
            if isinstance(why, JobError) and why.job in live:
                why.job.fail(why.error, "cancelled" if why.job.cancelled else why.kind)
            elif len(live) == 1 and not isinstance(why, JobError):
                job = live[0]
                job.fail("cancelled", "cancelled") if job.cancelled else job.fail(why)
            elif live := without_cancelled(live):
                line = encoded(failure(why))
                self._tell_memory()
                for job in live:
                    job.ended = True
                self._write(line)

    def progress(self, jobs: Sequence[Job], members: Mapping[str, Any]) -> None:
        with self._lock:
            live = [job for job in jobs if not job.ended]
            if len(live) > 1 and len(live) == sum(not job.ended for job in live[0]._batch):
                self._write(encoded({"type": "progress", **members}))
            else:
                self._write(b"".join(encoded({"type": "progress", "job": job.id, **members}) for job in live))

    def say(self, job: Job, members: Mapping[str, Any], ends: bool = False) -> None:
        line = encoded({**members, "job": job.id})
        with self._lock:
            if job.ended:
                raise RuntimeError(f"job {job.id} has ended: nothing of type {members['type']} can follow")
            if ends and job._batch is self._taken and all(each.ended for each in job._batch if each is not job):
                self._tell_memory()
            self._write(line)
            job.ended = job.ended or ends

    def _tell_memory(self) -> None:
        mib = _cuda_mib("max_memory_reserved")
        if mib is not None:
            self._write(encoded({"type": "memory", "mib": mib}))

    def _write(self, lines: bytes) -> None:
        with self._lock:
            while lines:
                try:
                    lines = lines[os.write(self._to_ferry, lines):]
                except OSError:
                    self._end_without_ferry()


def _conclude(jobs: Sequence[Job], results: Any) -> None:
    """Ends what run() left open when it returned."""
    if results is None:
        results = [None] * len(jobs)
    if not isinstance(results, list) or len(results) != len(jobs):
        what = f"{len(results)} results" if isinstance(results, list) else type(results).__name__
        raise TypeError(f"run() returned {what} for {len(jobs)} jobs: it returns nothing, or a list with one result a job")
    for job, result in zip(jobs, results):
        if not without_cancelled([job]):
            continue
        try:
            job.done(result)
        except (TypeError, ValueError) as why:
            traceback.print_exc()
            job.fail(why)


def _main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: python3 -m ferry.worker FILE   (a Python file with load() and run())")
    session = _Session()
    sys.path.insert(0, os.path.dirname(os.path.abspath(arguments[0])))
    program = importlib.import_module(Path(arguments[0]).stem)  # now, so that what it prints as it is imported goes to the log
    session.serve(program.load, program.run)


if __name__ == "__main__":
    from ferry import worker  # one module, not two: programs import it by this name

    worker._main(sys.argv[1:])
