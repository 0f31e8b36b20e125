"""The killers: one ends and restarts the daemon, the other meets shims, jobs and workers at random moments."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from random import Random

from client import Client, Unanswered
from daemon import Daemon
from ledger import Ledger
from processes import Family, Process, find, send

STOPPED_SECONDS_MAX = 1.5
HAND_OVER_SECONDS = 0.008  # about as long as it takes from the making of a run's directory to its process
LAUNCH_SECONDS = 0.0004  # and from the name of the shim in it
LAUNCH_WAIT_SECONDS_MAX = 1.0
SLOW_SHIM_SECONDS_MAX = 1.0
FOLLOW_UPS_MAX = 16  # batches that wait for one worker
FOLLOW_UP_WAIT_SECONDS_MAX = 1.5
PART_WAIT_SECONDS_MAX = 1.5
OVER_SECONDS_MAX = 10.0
ESCAPE_SECONDS = 0.1


class DaemonKiller:
    """Owns the daemon while the torture lasts."""

    def __init__(self, seed: int, daemon: Daemon, family: Family, ledger: Ledger, stop: threading.Event) -> None:
        self._random = Random(f"{seed}/daemon killer")
        self._daemon, self._family, self._ledger, self._stop = daemon, family, ledger, stop
        self._deeds = {self._kill: 40, self._kill_at_launch: 30, self._kill_while_it_starts: 15, self._terminate: 15,
                       self._kill_and_start_two: 8, self._rival: 6, self._kill_before_slow_shims: 25, self._kill_before_follow_up: 50,
                       self._kill_between_parts: 40}

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0.2, 4)):
            self._daemon.revive()
            self._random.choices(list(self._deeds), list(self._deeds.values()))[0]()
        self._daemon.revive()

    def _kill(self) -> None:
        self._ledger.count("kills of the daemon")
        self._daemon.kill()
        self._pause()
        self._daemon.start_and_serve()

    def _kill_at_launch(self) -> None:
        """While a run is being made or handed over."""
        await_launch(self._daemon.data / "runs")
        time.sleep(self._random.uniform(0, HAND_OVER_SECONDS))
        self._kill()

    def _kill_before_follow_up(self) -> None:
        """While batches wait for a worker that has another one still."""
        if await_follow_up(self._daemon.data / "runs"):
            self._ledger.count("kills of the daemon before follow-ups")
        time.sleep(self._random.choice((0, self._random.uniform(0, HAND_OVER_SECONDS))))
        self._kill()

    def _kill_between_parts(self) -> None:
        """When a run has just done its part of a list, and what comes next is on its way."""
        if await_part_done(self._daemon.data / "runs"):
            self._ledger.count("kills of the daemon between parts")
        time.sleep(self._random.choice((0, self._random.uniform(0, HAND_OVER_SECONDS), self._random.uniform(0, 10 * HAND_OVER_SECONDS))))
        self._kill()

    def _kill_while_it_starts(self) -> None:
        for _ in range(self._random.randint(1, 4)):
            self._ledger.count("kills of the daemon")
            self._daemon.kill()
            self._daemon.start()
            time.sleep(self._random.uniform(0, 0.25))
        self._kill()

    def _terminate(self) -> None:
        self._ledger.count("stops of the daemon")
        self._daemon.stop()
        self._pause()
        self._daemon.start_and_serve()

    def _kill_and_start_two(self) -> None:
        self._ledger.count("kills of the daemon")
        self._daemon.kill()
        self._daemon.start_two()

    def _kill_before_slow_shims(self) -> None:
        """The next daemon finds workers whose shims have not noticed that the last one is gone."""
        slow = [shim for shim in self._family.shims() if self._family.workers_of(shim)]
        slow = [shim for shim in slow if send(shim, signal.SIGSTOP)]
        try:
            self._ledger.count("kills of the daemon")
            self._ledger.count("halts of shims", len(slow))
            self._daemon.kill()
            self._daemon.start_and_serve()
            time.sleep(self._random.uniform(0, SLOW_SHIM_SECONDS_MAX))
        finally:
            for shim in slow:
                send(shim, signal.SIGCONT)

    def _rival(self) -> None:
        self._daemon.start_rival()

    def _pause(self) -> None:
        time.sleep(self._random.choice((0, self._random.uniform(0, 2))))


class Killer:
    """SIGKILL, SIGSTOP and SIGCONT for shims and for processes of jobs and workers, a few a second."""

    def __init__(self, seed: int, data: Path, family: Family, client: Client, ledger: Ledger, stop: threading.Event) -> None:
        self._random = Random(f"{seed}/killer")
        self._runs, self._workers = data / "runs", data / "workers"
        self._family, self._client, self._ledger, self._stop = family, client, ledger, stop
        self._stopped: list[tuple[float, Process]] = []
        self._deeds = {self._kill_shim: 20, self._kill_shim_at_launch: 20, self._kill_job: 25, self._kill_whole_run: 10,
                       self._stop_shim: 12, self._stop_job: 13, self._kill_worker: 14, self._kill_idle_worker: 8,
                       self._kill_shim_of_worker: 8, self._kill_shim_of_idle_worker: 5, self._kill_shim_at_load: 5,
                       self._kill_whole_worker: 6, self._stop_worker: 8, self._strike_before_follow_up: 35}

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0, 0.7)):
            self._let_go(time.monotonic())
            try:
                self._random.choices(list(self._deeds), list(self._deeds.values()))[0]()
            except (Unanswered, OSError, StopIteration) as error:
                self._ledger.say(f"the killer missed: {error!r}")  # a job removed its directory, or no daemon came back
        self._let_go(float("inf"))

    def _kill_shim(self) -> None:
        shims = self._family.shims()
        busy = [shim for shim in shims if self._family.runs_of(shim)]
        if shims:
            self._kill_that_shim(self._random.choice(busy if busy and self._random.random() < 0.8 else shims))

    def _kill_shim_at_launch(self) -> None:
        """While it starts the process of a run. Whatever it had started by then must not outlive the run."""
        run = self._runs / str(newest_run(self._runs) + 1)
        identity = await_shim(run)
        shim = find(identity[0]) if identity else None
        if not shim or shim.start_ticks != identity[1] or shim.name != "ferry-shim":
            return
        pause = time.perf_counter() + self._random.uniform(0, LAUNCH_SECONDS)
        while time.perf_counter() < pause:
            pass  # sleeping takes longer than the launch
        self._ledger.kill_run(str(run))
        self._kill_that_shim(shim)
        self._ledger.count("kills of shims at launch")
        self._look_for_escaped(run)

    def _look_for_escaped(self, run: Path) -> None:
        """Once ferry says that a run is over, nothing of it lives, and nothing of it begins to live."""
        job = int(next((run / "jobs").iterdir()).name)
        until = time.monotonic() + OVER_SECONDS_MAX
        while (told := self._client.get(f"/jobs/{job}").json)["status"] == "running" and told["batch"] == int(run.name):
            if time.monotonic() > until or self._stop.wait(0.02):
                return
        time.sleep(ESCAPE_SECONDS)
        worker = worker_of(run)
        escaped = [str(process) for process, of in self._family.jobs() if of == str(run)]
        escaped += [str(process) for process, of in self._family.workers() if of == worker]
        if escaped:
            self._ledger.crime(f"job {job} is {told['status']} after {told['attempts']} attempts, its run {run.name} is over, and "
                               f"processes of it live: {', '.join(escaped)}")

    def _kill_that_shim(self, victim: Process) -> None:
        """Noted by its identity, which its runs name, and by the run it has open, whose shim.json may be gone."""
        self._ledger.kill_shim(victim.pid, victim.start_ticks)
        for run in self._family.runs_of(victim):
            self._ledger.kill_run(run)
        for worker in self._family.workers_of(victim):
            self._ledger.kill_worker(worker)
        self._count("kills of shims", send(victim, signal.SIGKILL))

    def _kill_job(self) -> None:
        if jobs := self._family.jobs():
            victim, run = self._random.choice(jobs)
            self._ledger.kill_run(run)
            self._count("kills of job processes", send(victim, signal.SIGKILL))

    def _kill_whole_run(self) -> None:
        """All of a run's processes, and then its shim: nothing is left to tell."""
        jobs = self._family.jobs()
        if not jobs:
            return
        run = self._random.choice(jobs)[1]
        identity = shim_of(Path(run))
        self._ledger.kill_run(run)
        for process, of in jobs:
            if of == run:
                self._count("kills of job processes", send(process, signal.SIGKILL))
        for shim in self._family.shims():
            if (shim.pid, shim.start_ticks) == identity:
                self._kill_that_shim(shim)

    def _stop_shim(self) -> None:
        if shims := self._family.shims():
            self._halt(self._random.choice(shims), "halts of shims")

    def _stop_job(self) -> None:
        if jobs := self._family.jobs():
            self._halt(self._random.choice(jobs)[0], "halts of job processes")

    def _kill_worker(self) -> None:
        """A process of it: the worker itself or a child."""
        if workers := self._family.workers():
            self._kill_process_of_worker(*self._random.choice(workers))

    def _kill_idle_worker(self) -> None:
        idle = [worker for shim in self._idle_shims() for worker in self._family.workers_of(shim)]
        if workers := [(process, worker) for process, worker in self._family.workers() if worker in idle]:
            self._kill_process_of_worker(*self._random.choice(workers))
            self._ledger.count("kills at idle workers")

    def _kill_process_of_worker(self, victim: Process, worker: str) -> None:
        self._ledger.kill_worker(worker)
        self._count("kills of worker processes", send(victim, signal.SIGKILL))

    def _kill_shim_of_worker(self) -> None:
        if shims := [shim for shim in self._family.shims() if self._family.workers_of(shim)]:
            self._kill_that_shim(self._random.choice(shims))
            self._ledger.count("kills of shims of workers")

    def _kill_shim_of_idle_worker(self) -> None:
        if shims := self._idle_shims():
            self._kill_that_shim(self._random.choice(shims))
            self._ledger.count("kills of shims of workers")
            self._ledger.count("kills at idle workers")

    def _kill_shim_at_load(self) -> None:
        """Between the name of the shim in a worker's directory and the worker's first words."""
        before = newest_run(self._workers)
        until = time.monotonic() + LAUNCH_WAIT_SECONDS_MAX
        while (newest := newest_run(self._workers)) <= before:
            if time.monotonic() > until:
                return
            time.sleep(0.0002)
        identity = await_shim(self._workers / str(newest))
        shim = find(identity[0]) if identity else None
        if not shim or shim.start_ticks != identity[1] or shim.name != "ferry-shim":
            return
        pause = time.perf_counter() + self._random.choice((LAUNCH_SECONDS, 30 * LAUNCH_SECONDS)) * self._random.random()
        while time.perf_counter() < pause:
            pass
        self._ledger.kill_worker(str(self._workers / str(newest)))
        self._ledger.kill_run(str(self._runs / str(newest)))  # its first batch has its number
        self._kill_that_shim(shim)
        self._ledger.count("kills of shims at load")
        self._look_for_escaped(self._runs / str(newest))

    def _strike_before_follow_up(self) -> None:
        """At a worker, or its shim, for which other batches wait."""
        worker = await_follow_up(self._runs)
        processes = [process for process, of in self._family.workers() if of == worker]
        shims = [shim for shim in self._family.shims() if worker in self._family.workers_of(shim)] if worker else []
        if not worker or not processes or not shims:
            return
        match self._random.randrange(6):
            case 0:
                self._kill_process_of_worker(self._random.choice(processes), worker)
            case 1:
                self._kill_that_shim(shims[0])
            case 2:
                self._end_worker(worker)
            case 3:
                self._halt(shims[0], "halts of shims")
            case _:  # what waits is given back after a while
                self._halt(self._random.choice(processes), "halts of worker processes")
        self._ledger.count("strikes before follow-ups")

    def _kill_whole_worker(self) -> None:
        if workers := self._family.workers():
            self._end_worker(self._random.choice(workers)[1])

    def _end_worker(self, chosen: str) -> None:
        """All of a worker's processes, and then its shim."""
        for process, worker in self._family.workers():
            if worker == chosen:
                self._kill_process_of_worker(process, worker)
        for shim in self._family.shims():
            if chosen in self._family.workers_of(shim):
                self._kill_that_shim(shim)

    def _idle_shims(self) -> list[Process]:
        """Of workers without a batch."""
        return [shim for shim in self._family.shims() if self._family.workers_of(shim) and not self._family.runs_of(shim)]

    def _stop_worker(self) -> None:
        if workers := self._family.workers():
            self._halt(self._random.choice(workers)[0], "halts of worker processes")

    def _halt(self, victim: Process, what: str) -> None:
        if send(victim, signal.SIGSTOP):
            self._ledger.count(what)
            self._stopped.append((time.monotonic() + self._random.uniform(0.05, STOPPED_SECONDS_MAX), victim))

    def _let_go(self, now: float) -> None:
        for due, victim in list(self._stopped):
            if due <= now:
                send(victim, signal.SIGCONT)
                self._stopped.remove((due, victim))

    def _count(self, what: str, done: bool) -> None:
        if done:
            self._ledger.count(what)


def await_launch(runs: Path) -> bool:
    """Returns as soon as a directory appears among the runs; False: none did."""
    try:
        before = runs.stat().st_mtime_ns
        until = time.monotonic() + LAUNCH_WAIT_SECONDS_MAX
        while time.monotonic() < until:
            if runs.stat().st_mtime_ns != before:
                return True
            time.sleep(0.0005)
    except OSError:
        pass  # no run has been made yet
    return False


def await_follow_up(runs: Path) -> str | None:
    """The directory of a worker, as soon as a batch waits for it that was made while it had another; None: that did not come to pass."""
    until = time.monotonic() + FOLLOW_UP_WAIT_SECONDS_MAX
    seen = newest_run(runs)
    while time.monotonic() < until:
        newest = newest_run(runs)
        for number in range(max(seen, newest - FOLLOW_UPS_MAX), newest + 1):
            run = runs / str(number)
            worker = worker_of(run)
            if worker and Path(worker).name != run.name and not (run / "shim.json").exists() and run.exists():
                return worker
        seen = newest
        time.sleep(0.002)
    return None


def await_part_done(runs: Path) -> list[int]:
    """The jobs of one of the latest runs, if it has just done a part of a list; empty: none did for a while."""
    until = time.monotonic() + PART_WAIT_SECONDS_MAX
    under_way: dict[str, list[int]] = {}
    while time.monotonic() < until:
        newest = newest_run(runs)
        for name in map(str, range(max(1, newest - FOLLOW_UPS_MAX), newest + 1)):
            is_done = b'"job_done"' in _text(runs / name / "events.jsonl")
            if is_done and name in under_way:
                return under_way[name]
            if not is_done and b'"part":' in (spec := _text(runs / name / "spec.json")):
                under_way[name] = [job["id"] for job in json.loads(spec)["jobs"]]
        time.sleep(0.002)
    return []


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def shim_of(run: Path) -> tuple[int, int] | None:
    """Pid and start time of the shim that had a run."""
    try:
        identity = json.loads((run / "shim.json").read_bytes())
        return int(identity["pid"]), int(identity["start_ticks"])
    except (OSError, ValueError, KeyError):
        return None


def worker_of(run: Path) -> str | None:
    """The directory of the worker that a run was given to; None: it has a process of its own, or is gone."""
    try:
        return str(json.loads((run / "spec.json").read_bytes())["worker"]["directory"])
    except (OSError, ValueError, KeyError):
        return None


def newest_run(runs: Path) -> int:
    try:
        return max((int(name) for name in os.listdir(runs) if name.isdigit()), default=0)
    except OSError:
        return 0


def await_shim(run: Path) -> tuple[int, int] | None:
    """Pid and start time of a run's shim, as soon as it has put its name there: next it starts the process."""
    until = time.monotonic() + LAUNCH_WAIT_SECONDS_MAX
    name = str(run / "shim.json")
    while not os.path.exists(name) and time.monotonic() < until:
        time.sleep(0.00005)
    return shim_of(run)
