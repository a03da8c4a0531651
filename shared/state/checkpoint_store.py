"""The stored checkpoint: read by anyone, saved by the run that holds the lease."""

from shared.errors import StateMissing
from shared.state import checkpoint as checkpoints
from shared.state.checkpoint import Checkpoint
from shared.state.store import Etag, Lease, Store


class OpenCheckpoint:
    """The checkpoint in hand, and the tag that the next save must still find."""

    def __init__(self, store: Store, name: str, lease: Lease, checkpoint: Checkpoint, etag: Etag) -> None:
        self._store = store
        self._name = name
        self._lease = lease
        self._etag = etag
        self.checkpoint = checkpoint

    async def save(self, checkpoint: Checkpoint) -> None:
        """Save, unless nothing changed; CheckpointMoved or LeaseLost when another run was faster."""
        if checkpoint == self.checkpoint:
            return
        self._lease.check()
        self._etag = await self._store.replace(self._name, checkpoints.dump(checkpoint), self._etag)
        self.checkpoint = checkpoint


class CheckpointStore:
    """The checkpoint of one stream, stored as the document `name`; `owner` is the connection's name, for messages."""

    def __init__(self, store: Store, name: str, owner: str) -> None:
        self._store = store
        self._name = name
        self._owner = owner

    async def read(self) -> Checkpoint:
        """Raises StateMissing, StateUnreadable or StoreFailed."""
        checkpoint, _ = await self._load()
        return checkpoint

    async def exists(self) -> bool:
        """Whether the connection was started; raises StoreFailed."""
        return await self._store.read(self._name) is not None

    async def held(self, lease: Lease) -> OpenCheckpoint:
        """The checkpoint for the run that holds `lease`; raises as `read`."""
        checkpoint, etag = await self._load()
        return OpenCheckpoint(self._store, self._name, lease, checkpoint, etag)

    async def create(self, checkpoint: Checkpoint) -> None:
        """Store a first checkpoint; CheckpointMoved when there is one."""
        await self._store.create(self._name, checkpoints.dump(checkpoint))

    async def delete(self) -> None:
        """Remove the checkpoint; no error when there is none."""
        await self._store.delete(self._name)

    async def _load(self) -> tuple[Checkpoint, Etag]:
        saved = await self._store.read(self._name)
        if saved is None:
            raise StateMissing(
                f"connection {self._owner} has no checkpoint for this destination: start it with `claude-bridge init`, "
                "or restore the state if it was running before"
            )
        return checkpoints.parse(saved.data), saved.etag
