"""A user who limits, pauses and unpauses groups, and looks whether ferry remembers it."""

import threading
import time
from random import Random

from bonds import GROUPS
from client import Client, Unanswered
from group_settings import Setting
from ledger import Ledger

PAUSED_SECONDS_MAX = 3.0


class GroupKeeper:
    """The only one to change groups. When it ends none is paused."""

    def __init__(self, seed: int, client: Client, ledger: Ledger, stop: threading.Event) -> None:
        self._random = Random(f"{seed}/group keeper")
        self._client, self._ledger, self._stop = client, ledger, stop

    def work(self) -> None:
        while not self._stop.wait(self._random.uniform(0, 2)):
            group = self._random.choice(GROUPS)
            try:
                self._judge(group)
                if self._random.random() < 0.7:
                    self._change(group, parallel=self._random.choice((0, 1, 1, 2, 3)))
                else:
                    self._change(group, paused=True)
                    self._stop.wait(self._random.uniform(0, PAUSED_SECONDS_MAX))
                    self._change(group, paused=False)
            except Unanswered as error:
                self._ledger.crime(f"the keeper of groups was never answered: {error}")

    def _change(self, group: str, **changes: int) -> None:
        settings = self._ledger.groups
        before = settings.last(group)
        parallel, is_paused = changes.get("parallel", before.parallel), bool(changes.get("paused", before.is_paused))
        wanted = Setting(time.time() * 1000, 0, parallel, is_paused)
        settings.ask(group, wanted)
        answer = self._client.request("PATCH", f"/groups/{group}", changes)
        settings.answered(group, time.time() * 1000)
        self._ledger.count("changes of groups")
        if not answer.good:
            self._ledger.crime(f"the change {changes} of the group {group} was answered {answer}")
        elif (answer.json["parallel"], answer.json["paused"]) != (wanted.parallel, wanted.is_paused):
            self._ledger.crime(f"the change {changes} of the group {group}, which was {before}, was answered {answer}")

    def _judge(self, group: str) -> None:
        """Ferry knows what was set, whatever has become of the daemon since."""
        set_last = self._ledger.groups.last(group)
        told = {one["name"]: one for one in self._client.get("/groups").json["groups"]}.get(group, {})
        if (told.get("parallel", 0), told.get("paused", False)) != (set_last.parallel, set_last.is_paused):
            self._ledger.crime(f"the group {group} was set to {set_last} and is {told}")
