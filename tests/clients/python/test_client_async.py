"""The client for asyncio: the same answers, many at once, and what a cancelled task leaves."""

import asyncio
import inspect
import warnings
from typing import Any, Awaitable, Callable

from daemon import WAIT_SECONDS, Between, DaemonTest, until

import ferry


class Asyncio(DaemonTest):
    slots = 4

    def with_client(self, body: Callable[[ferry.AsyncClient], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with ferry.AsyncClient(self.daemon.socket) as client:
                return await asyncio.wait_for(body(client), WAIT_SECONDS)
        return asyncio.run(main())

    def test_it_has_all_that_the_client_has(self) -> None:
        def signatures(kind: type) -> "dict[str, list[str]]":
            return {name: list(inspect.signature(method).parameters) for name, method in vars(kind).items()
                    if callable(method) and not name.startswith("_")}
        self.assertEqual(signatures(ferry.AsyncClient), signatures(ferry.Client))
        self.assertEqual(signatures(ferry.AsyncJobHandle), signatures(ferry.JobHandle))
        self.assertEqual(ferry.AsyncClient.submit.__doc__, ferry.Client.submit.__doc__)

    def test_jobs_are_submitted_followed_and_waited_for(self) -> None:
        gate = self.daemon.gate()

        async def body(client: ferry.AsyncClient) -> None:
            job = await client.submit("sample", steps=9, print=["hello"], gate=gate.path)
            async for update in job.follow():
                if update.progress.step == 1:
                    break
            with self.assertRaises(ferry.WaitTimeout):
                await job.wait(0.01)
            await asyncio.get_running_loop().run_in_executor(None, gate.open)
            self.assertEqual((await job.result())["steps"], 9)
            self.assertEqual([line async for line in job.log_lines(follow=True) if line == "hello"], ["hello"])
            self.assertIn("hello\n", await job.log())
            self.assertEqual((await job.get()).status, "completed")
            with self.assertRaises(ferry.InvalidArgument) as caught:
                await client.submit("sample", steps=0, seed="x")
            self.assertEqual(len(caught.exception.problems), 2)
            self.assertEqual([each.id async for each in client.all_jobs(type="sample", name="")], [job.id])
        self.with_client(body)

    def test_many_at_once(self) -> None:
        async def body(client: ferry.AsyncClient) -> None:
            jobs = await client.sweep("sample", {"steps": [1, 2], "seed": range(4)})
            ended = await asyncio.gather(*(job.wait() for job in jobs))
            self.assertEqual({job.status for job in ended}, {"completed"})
            self.assertEqual([job.id for job in await client.wait_all(jobs)], [job.id for job in jobs])
            results = [result["steps"] async for result in await client.map("sample", [{"steps": n} for n in (5, 6, 7)])]
            self.assertEqual(results, [5, 6, 7])
            failing = await client.map("sample", [{"fail": "no"}])
            with self.assertRaises(ferry.JobFailed):
                await failing.__anext__()
        self.with_client(body)

    def test_all_that_runs_is_suspended_and_resumed(self) -> None:
        blocker = self.blocker()

        async def body(client: ferry.AsyncClient) -> None:
            self.assertEqual(await client.suspend_all(), 1)
            while (await client.get(blocker)).status == "running":
                await asyncio.sleep(0.02)
            self.assertEqual(await client.resume_all(), 1)
            await client.job(blocker.id).cancel()
            await client.wait(blocker)
        self.with_client(body)

    def test_a_cancelled_task_leaves_no_answer_to_be_mistaken(self) -> None:
        blocker = self.blocker()

        async def body(client: ferry.AsyncClient) -> None:
            await client.status()
            polls = [asyncio.ensure_future(client.wait(blocker)) for _ in range(5)]
            status = await client.status()
            for poll in polls:
                poll.cancel()
            await asyncio.gather(*polls, return_exceptions=True)
            for _ in range(5):
                self.assertEqual((await client.status()).pid, status.pid)
            self.assertEqual((await client.job(blocker.id).cancel()).id, blocker.id)
            self.assertEqual((await client.wait(blocker)).status, "cancelled")
        self.with_client(body)

    def test_it_goes_on_through_a_kill_and_in_another_loop(self) -> None:
        gate = self.daemon.gate()
        job = self.script(f"echo one; read x < {gate}")
        until(job.follow(), lambda update: "one" in update.lines)
        client = ferry.AsyncClient(self.daemon.socket)

        async def body() -> ferry.Job:
            await client.status()
            ended = asyncio.ensure_future(client.wait(job))
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, self.daemon.kill)
            await loop.run_in_executor(None, gate.open)
            await loop.run_in_executor(None, self.daemon.start)
            return await asyncio.wait_for(ended, WAIT_SECONDS)
        self.assertEqual(asyncio.run(body()).status, "completed")
        warnings.simplefilter("ignore", ResourceWarning)  # the first loop ended with a connection that it had kept open

        async def again() -> None:
            self.assertEqual((await client.get(job)).status, "completed")
            await client.close()
        asyncio.run(again())

    def test_a_submit_whose_answer_is_lost_counts_once(self) -> None:
        between = Between(self.daemon.folder / "b", self.daemon.socket, "lose", "drop", "pass", "lose")
        self.addCleanup(between.close)

        async def body() -> None:
            async with ferry.AsyncClient(between.path) as client:
                job = await client.submit("command", argv=["true"], held=True)
                self.assertEqual([each.id for each in self.client.all_jobs(status="queued")], [job.id])
                with self.assertRaises(ferry.Unavailable) as caught:
                    await job.release()
                self.assertTrue(caught.exception.was_sent)
        asyncio.run(body())
        self.assertEqual(len(between.seen), 4)

    def test_no_daemon(self) -> None:
        async def body() -> None:
            async with ferry.AsyncClient(self.daemon.folder / "nobody") as client:
                await client.status()
        self.assertIn("no ferry daemon listens", str(self.refused(ferry.Unavailable, lambda: asyncio.run(body()))))
