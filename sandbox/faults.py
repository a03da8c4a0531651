"""Fault injection: scripted faults and random ones from a seed; the servers ask for one before each response."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """Affects the next `times` requests that `match`, after `skip` of them.

    `kind` is one the server supports (each lists its own), `options` its parameters: {"retry_after": 3}.
    """

    kind: str
    times: int = 1
    skip: int = 0
    match: Callable[[Mapping[str, Any]], bool] = lambda _: True
    options: Mapping[str, Any] = field(default_factory=dict)


class Faults:
    """Decides the fault of each request. `next(facts)` takes the facts of one request (method, path, query, now ...).

    Scripted faults come first, then random ones drawn from the seed: the same requests in the same order get the same
    faults.
    """

    def __init__(self) -> None:
        self._scripted: list[Fault] = []
        self._rates: dict[str, float] = {}
        self._random = random.Random(0)
        self._lock = threading.Lock()
        self.hits: dict[str, int] = {}

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._scripted.append(fault)

    def set_rates(self, rates: Mapping[str, float], *, seed: int) -> None:
        """Inject each kind of fault at random with its probability per request."""
        with self._lock:
            self._rates = dict(rates)
            self._random = random.Random(seed)

    def clear(self) -> None:
        """Drop every pending fault and stop the random ones."""
        with self._lock:
            self._scripted.clear()
            self._rates.clear()

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
            draw = self._random.random() if self._rates else 1.0
            for kind, rate in self._rates.items():
                if draw < rate:
                    return self._count(Fault(kind))
                draw -= rate
            return None

    def _count(self, fault: Fault) -> Fault:
        self.hits[fault.kind] = self.hits.get(fault.kind, 0) + 1
        return fault
