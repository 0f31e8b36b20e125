"""What the torture has set for the groups, and when: the settings that ferry may have gone by at a given time."""

import threading
from dataclasses import dataclass, replace

TRUNCATED_MS = 2  # ferry's times are cut to milliseconds


@dataclass(frozen=True)
class Setting:
    """`parallel` 0: no limit. In force from some moment between `asked` and `answered`, in ms."""

    asked: float = 0
    answered: float = 0
    parallel: int = 0
    is_paused: bool = False


class GroupSettings:
    """Changed by one thread, read by others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: dict[str, list[Setting]] = {}

    def last(self, group: str) -> Setting:
        with self._lock:
            return self._settings.get(group, [Setting()])[-1]

    def ask(self, group: str, setting: Setting) -> None:
        """Noted before the request, so that nothing comes before its reason; it may be in force at any time from then on."""
        with self._lock:
            self._settings.setdefault(group, [Setting()]).append(replace(setting, answered=float("inf")))

    def answered(self, group: str, at: float) -> None:
        with self._lock:
            self._settings[group][-1] = replace(self._settings[group][-1], answered=at)

    def limit(self, group: str, at: int) -> int | None:
        """How many might have run at most, of all settings that may have been in force; None: any number."""
        limits = [setting.parallel for setting in self._possible(group, at)]
        return None if 0 in limits else max(limits)

    def is_paused(self, group: str, at: int) -> bool:
        return all(setting.is_paused for setting in self._possible(group, at))

    def _possible(self, group: str, at: int) -> list[Setting]:
        possible = [Setting()]
        with self._lock:
            for setting in self._settings.get(group, []):
                if setting.asked > at + TRUNCATED_MS:
                    break
                possible = [setting] if setting.answered < at else [*possible, setting]
        return possible
