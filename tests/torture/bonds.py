"""What ties jobs to others: jobs that they need, a group that limits how many run at once, a key of which only one may live."""

from dataclasses import dataclass
from random import Random
from typing import Any

RULES = ("hold", "cancel", "start")
RULE_UNSAID = "hold"
GROUPS = ("day", "night", "weekend")
UNIQUE_KEYS = ("backup", "index", "report")
NEEDS_MAX = 3


@dataclass(frozen=True)
class Bonds:
    """`needs`: so many jobs, chosen when it is submitted; `rule`: when one of them does not complete (empty: unsaid)."""

    needs: int = 0
    rule: str = ""
    group: str = ""
    unique_key: str = ""

    def body(self, needs: tuple[int, ...]) -> dict[str, Any]:
        """What a submit says of them."""
        said: dict[str, Any] = {}
        if needs:
            said["needs"] = list(needs)
        if needs and self.rule:
            said["on_needs_failure"] = self.rule
        if self.group:
            said["group"] = self.group
        if self.unique_key:
            said["unique_key"] = self.unique_key
        return said


def choose_bonds(random: Random, group: str) -> Bonds:
    """`group`: that of the crowd it comes with, or none."""
    return Bonds(
        needs=random.randint(1, NEEDS_MAX) if random.random() < 0.15 else 0,
        rule=random.choice(("", *RULES)),
        group=group,
        unique_key=random.choice(UNIQUE_KEYS) if random.random() < 0.06 else "",
    )


def choose_group(random: Random) -> str:
    return random.choice(GROUPS) if random.random() < 0.3 else ""
