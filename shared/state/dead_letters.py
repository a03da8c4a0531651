"""What could not be delivered, kept where an operator sees it and can send it again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import msgspec

from shared.clock import Clock
from shared.errors import CheckpointMoved
from shared.models import DeadLetter, Outgoing
from shared.state.ledger import PREFIX_BYTES
from shared.state.store import Store

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class DeadLetters:
    """Files `dead-letters/{prefix}/{day}.jsonl`, a line an item; `.replayed` beside lists what was delivered later.

    Both only grow, so that a crash in the middle of a replay repeats sends and loses nothing.
    """

    def __init__(self, store: Store, prefix: str, clock: Clock) -> None:
        self._store = store
        self._prefix = prefix
        self._clock = clock

    async def put(self, rows: Sequence[tuple[Outgoing, str]], run_id: str) -> None:
        """Write down rows with the reason each could not be delivered."""
        now = self._clock.now()
        lines = b"".join(
            _encode(
                {
                    "id": row.id,
                    "prefix": row.prefix.hex(),
                    "hour": row.hour,
                    "reason": reason,
                    "run": run_id,
                    "at": now.isoformat(),
                    "raw": row.raw,
                    **({"escaped": row.escaped} if row.escaped else {}),
                }
            )
            + b"\n"
            for row, reason in rows
        )
        await self._store.append(f"dead-letters/{self._prefix}/{now:%Y-%m-%d}.jsonl", lines)

    async def waiting(self) -> AsyncIterator[tuple[str, list[DeadLetter]]]:
        """Days with something not yet replayed, oldest first: the day's name and its items, each id once."""
        for name in await self._store.names(f"dead-letters/{self._prefix}"):
            if not name.endswith(".jsonl"):
                continue
            replayed = await self._store.tail(name.removesuffix(".jsonl") + ".replayed", 0)
            done = {replayed[at : at + PREFIX_BYTES] for at in range(0, len(replayed), PREFIX_BYTES)}
            items: dict[bytes, DeadLetter] = {}
            for line in (await self._store.tail(name, 0)).splitlines():
                item = _item(line)
                if item is not None and item.prefix not in done:
                    items[item.prefix] = item
            if items:
                yield name.rsplit("/", 1)[1].removesuffix(".jsonl"), list(items.values())

    async def mark_replayed(self, day: str, prefixes: Sequence[bytes]) -> None:
        """These left after all."""
        if prefixes:
            await self._store.append(f"dead-letters/{self._prefix}/{day}.replayed", b"".join(prefixes))

    async def keep_whole(self, prefix: bytes, original: bytes) -> str:
        """Store the original of a row whose cells had to be cut; returns the pointer for its `Handling`."""
        name = f"overflow/{self._prefix}/{self._clock.now():%Y-%m-%d}/{prefix.hex()}.json"
        with suppress(CheckpointMoved):  # an earlier try of the same row left it there
            await self._store.create(name, original)
        return name


def _item(line: bytes) -> DeadLetter | None:
    """One line; a torn one (no block is ever half written, but a disk can lie) is skipped and stays in the file."""
    try:
        raw = _decode(line)
        return DeadLetter(
            id=raw["id"],
            prefix=bytes.fromhex(raw["prefix"]),
            hour=raw["hour"],
            reason=raw["reason"],
            run_id=raw["run"],
            at=raw["at"],
            raw=raw["raw"],
            escaped=tuple(raw.get("escaped", ())),
        )
    except (msgspec.DecodeError, KeyError, ValueError, TypeError):
        return None
