"""A worker whose jobs do nothing. It speaks docs/worker_protocol.md by itself, so that what is measured is ferry.

Where NOOP_STAMPS names a file, each job leaves a line there: its number, and CLOCK_MONOTONIC in nanoseconds when it came.
"""

import json
import os
import sys
import time


def main() -> None:
    stamps = os.environ.get("NOOP_STAMPS")
    to = os.open(stamps, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if stamps else None
    os.write(1, b'{"type":"ready"}\n')
    for line in sys.stdin.buffer:
        came = time.monotonic_ns()
        said = json.loads(line)
        if said["type"] == "stop":
            return
        if said["type"] != "run":
            continue  # a cancel: its job has ended already
        jobs = [job["id"] for job in said["jobs"]]
        if to is not None:
            os.write(to, b"".join(b"%d %d\n" % (job, came) for job in jobs))
        os.write(1, b"".join(b'{"type":"done","job":%d}\n' % job for job in jobs))


if __name__ == "__main__":
    main()
