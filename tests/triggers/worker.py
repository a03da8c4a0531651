"""Microsoft's own Python worker library without a host: real indexing, real decoding of triggers, real invocations.

The library speaks to the host in protobuf messages; plain objects with the same fields stand in for them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import azure_functions_runtime as runtime  # type: ignore[import-untyped]
from azure_functions_runtime.bindings.datumdef import Datum  # type: ignore[import-untyped]
from azure_functions_runtime.native_invocation import (  # type: ignore[import-untyped]
    invocation_request_native,
)

ROOT = Path(__file__).parents[2]


class Message:
    """A protobuf message as far as the library uses one: its fields."""

    Success, Failure, Cancelled = 1, 0, 2

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class _Direction:
    """The enumerations of BindingInfo that indexing reads."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2


setattr(_Direction, "in", 0)


class Protos:
    """Stands in for the generated module: any name is a message."""

    class BindingInfo(Message, _Direction):
        DataType = _Direction
        Direction = _Direction

    def __getattr__(self, name: str) -> type[Message]:
        made = type(name, (Message,), {})
        setattr(self, name, made)
        return made


@dataclass(frozen=True)
class Indexed:
    """A function as the host would hear of it: its bindings, by type."""

    id: str
    name: str
    bindings: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What the host would be told of an invocation: success, or the exception's text and traceback."""

    ok: bool
    error: str
    trace: str


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    code: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Worker:
    """The indexed app."""

    _started: ClassVar["Worker | None"] = None

    def __init__(self, functions: list[Indexed]) -> None:
        self.functions = {function.name: function for function in functions}

    @classmethod
    async def start(cls, folder: Path = ROOT) -> "Worker":
        """Index `folder` as the host does when the process starts; a process can do so only once."""
        cls._started = cls._started or await cls._index(folder)
        return cls._started

    @staticmethod
    async def _index(folder: Path) -> "Worker":
        init = SimpleNamespace(capabilities={}, function_app_directory=str(folder))
        request = SimpleNamespace(
            request=SimpleNamespace(worker_init_request=init), properties={"host": "127.0.0.1", "protos": Protos()}
        )
        answer = await runtime.worker_init_request(request)
        assert answer.result.status == Message.Success, vars(answer.result.exception)
        metadata = await runtime.functions_metadata_request(SimpleNamespace())
        return Worker([_indexed(each) for each in metadata.function_metadata_results])

    async def fire(self, name: str, *, past_due: bool = False) -> Outcome:
        """One tick of a timer."""
        timer = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": {
                "Last": "2026-11-24T11:59:00+00:00",
                "Next": "2026-11-24T12:00:00+00:00",
                "LastUpdated": "2026-11-24T11:59:00+00:00",
            },
            "IsPastDue": past_due,
        }
        ok, _, _, error, trace = await self._invoke(name, "timer", Datum(json.dumps(timer), "json"))
        return Outcome(ok, error or "", trace or "")

    async def ask(
        self,
        name: str,
        method: str = "GET",
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request; `body` bytes go as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = {
            "method": _text(method),
            "url": _text(f"https://bridge.example.com/api/{name}"),
            "headers": {key: _text(value) for key, value in (headers or {}).items()},
            "query": {key: _text(value) for key, value in (query or {}).items()},
            "params": {},
            "body": Datum(data, "bytes"),
        }
        ok, returned, _, error, _ = await self._invoke(name, "req", Datum(request, "http"))
        assert ok, error
        answer = returned.value
        text = answer["body"].value
        sent = {key.lower(): value.value for key, value in answer["headers"].items()}
        return Answer(int(answer["status_code"].value), text if isinstance(text, str) else text.decode(), sent)

    async def _invoke(self, name: str, parameter: str, datum: Any) -> Any:
        return await invocation_request_native("invocation", self.functions[name].id, [(parameter, datum)], {})


def _indexed(metadata: Any) -> Indexed:
    bindings = [json.loads(raw) for raw in metadata.raw_bindings]
    return Indexed(metadata.function_id, metadata.name, {binding["type"]: binding for binding in bindings})


def _text(value: str) -> Any:
    return Datum(value, "string")
