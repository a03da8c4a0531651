"""Faults on request: a scripted queue, and a seeded storm; the servers ask before they answer."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """Hit the next `times` requests that `match`, after letting `skip` of them pass.

    `kind` is a word the server knows (each lists its own), `options` its numbers: {"retry_after": 3}.
    """

    kind: str
    times: int = 1
    skip: int = 0
    match: Callable[[Mapping[str, Any]], bool] = lambda _: True
    options: Mapping[str, Any] = field(default_factory=dict)


class Faults:
    """What will go wrong next. `next(facts)` takes the facts of one request (method, path, query, now ...).

    A storm is drawn from its seed after the scripted faults had their turn: the same requests in the same order meet
    the same weather.
    """

    def __init__(self) -> None:
        self._scripted: list[Fault] = []
        self._storm: dict[str, float] = {}
        self._random = random.Random(0)
        self._lock = threading.Lock()
        self.hits: dict[str, int] = {}

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._scripted.append(fault)

    def storm(self, shares: Mapping[str, float], *, seed: int) -> None:
        """Begin a storm: each request meets each kind with its probability."""
        with self._lock:
            self._storm = dict(shares)
            self._random = random.Random(seed)

    def calm(self) -> None:
        """Drop every pending fault and end the storm."""
        with self._lock:
            self._scripted.clear()
            self._storm.clear()

    def next(self, facts: Mapping[str, Any]) -> Fault | None:
        with self._lock:
            for fault in self._scripted:
                if not fault.match(facts):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._scripted.remove(fault)
                return self._count(fault)
            draw = self._random.random() if self._storm else 1.0
            for kind, share in self._storm.items():
                if draw < share:
                    return self._count(Fault(kind))
                draw -= share
            return None

    def _count(self, fault: Fault) -> Fault:
        self.hits[fault.kind] = self.hits.get(fault.kind, 0) + 1
        return fault
