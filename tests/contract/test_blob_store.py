"""Behavior specific to Blob storage: expiring leases, full blobs, lost responses; against Azurite."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpResponse
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from shared.clock import SystemClock
from shared.errors import CheckpointMoved, LeaseHeld, LeaseLost, StoreFailed
from shared.state.blob_store import BlobStore, open_container
from shared.state.store import Etag, Lease

if TYPE_CHECKING:  # the fixtures come as a plugin
    from tests.azurite import Azurite

AT_ONCE: dict[str, Any] = {"initial_backoff": 0, "increment_base": 0, "random_jitter_range": 0}
"""The SDK retries without a pause."""


async def eventually(holds: Callable[[], bool]) -> None:
    """Run background tasks until `holds` is true; at most five seconds."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about within five seconds")


class HandClock:
    """A clock moved by the test once a task sleeps; it wakes the tasks whose time has come."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 2, tzinfo=UTC)
        self._sleepers: dict[asyncio.Event, datetime] = {}

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self._sleepers[awake] = self._now + timedelta(seconds=seconds)
        await awake.wait()

    async def advance(self, seconds: float) -> None:
        await eventually(lambda: bool(self._sleepers))
        self._now += timedelta(seconds=seconds)
        for awake, at in list(self._sleepers.items()):
            if at <= self._now:
                del self._sleepers[awake]
                awake.set()


class Refusal(AsyncHttpResponse):
    """A response of the service that Azurite cannot produce."""

    def __init__(self, request: Any, status: int, code: str) -> None:
        super().__init__(request, None)
        self.status_code, self.reason, self.content_type = status, code, "application/xml"
        self.headers = {"x-ms-error-code": code}

    def body(self) -> bytes:
        return b""

    async def read(self) -> bytes:
        return b""


class Line(AioHttpTransport):  # type: ignore[misc]  # the SDK gives it away lazily, untyped
    """The transport to the service: counts requests, and fails as a test needs it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = self.answers = 0
        self.cut = False
        self.answers_to_lose = 0
        self.refusal: tuple[int, str] | None = None
        self.full_after: int | None = None
        self.before_delete: Callable[[], Awaitable[None]] | None = None
        self._blocks: dict[str, int] = {}

    async def send(self, request: Any, **options: Any) -> Any:
        self.requests += 1
        if self.cut:
            raise ServiceRequestError("no route to host")
        if self.refusal is not None:
            return Refusal(request, *self.refusal)
        if self.full_after is not None and self._blocks.get(request.url, 0) >= self.full_after:
            return Refusal(request, 409, "BlockCountExceedsLimit")
        if request.method == "DELETE" and self.before_delete is not None:
            interrupt, self.before_delete = self.before_delete, None
            await interrupt()
        answer = await super().send(request, **options)
        if request.url.endswith("comp=appendblock") and answer.status_code == 201:
            self._blocks[request.url] = self._blocks.get(request.url, 0) + 1
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise ServiceResponseError("connection reset")
        self.answers += 1
        return answer


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
async def container(azurite: "Azurite", line: Line) -> AsyncIterator[ContainerClient]:
    async with azurite.container(transport=line, **AT_ONCE) as client:
        yield client


@pytest.fixture
def store(container: ContainerClient) -> BlobStore:
    return BlobStore(container, SystemClock())


def is_lost(lease: Lease) -> bool:
    try:
        lease.check()
    except LeaseLost:
        return True
    return False


async def test_a_lease_taken_over_is_lost(container: ContainerClient) -> None:
    """After the lease is broken and another run takes it, the first run stops at its next check."""
    clock = HandClock()
    store, other = BlobStore(container, clock), BlobStore(container, SystemClock())
    async with store.lease("lease/a") as lease:
        await BlobLeaseClient(container.get_blob_client("lease/a~lease")).break_lease(0)
        async with other.lease("lease/a") as taken:
            await clock.advance(20)
            await eventually(lambda: is_lost(lease))
            with pytest.raises(LeaseLost, match="took lease/a over"):
                lease.check()
            taken.check()
    async with other.lease("lease/a"):
        pass  # the end of the run without the lease did not release it


async def test_a_lease_that_cannot_be_renewed_is_lost_in_time(container: ContainerClient, line: Line) -> None:
    """With storage unreachable the run stops before the service could grant the lease to another."""
    clock = HandClock()
    async with BlobStore(container, clock).lease("lease/a") as lease:
        line.cut = True
        await clock.advance(59)
        lease.check()
        await clock.advance(1)
        with pytest.raises(LeaseLost, match="could not be renewed in time"):
            lease.check()
        line.cut = False


async def test_a_failed_renewal_is_made_up_for(container: ContainerClient, line: Line) -> None:
    """One failed renewal has no effect: the next one follows soon."""
    clock = HandClock()
    async with BlobStore(container, clock).lease("lease/a") as lease:
        line.cut, asked = True, line.requests
        await clock.advance(20)
        await eventually(lambda: line.requests > asked)
        line.cut, answered = False, line.answers
        await clock.advance(5)
        await eventually(lambda: line.answers > answered)
        await clock.advance(50)
        lease.check()


async def test_a_cancelled_run_gives_its_lease_back(store: BlobStore) -> None:
    """Cancellation releases the lease immediately: the next run does not wait for its expiry."""
    holding = asyncio.Event()

    async def work() -> None:
        async with store.lease("lease/a"):
            holding.set()
            await asyncio.Event().wait()

    run = asyncio.create_task(work())
    await holding.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    async with store.lease("lease/a") as lease:
        lease.check()


async def test_of_many_runs_one_gets_a_new_lease(store: BlobStore) -> None:
    """Runs that start at the same time on a connection without a lease: one works, the others yield."""
    done = asyncio.Event()

    async def work() -> str:
        try:
            async with store.lease("lease/a"):
                await done.wait()
                return "worked"
        except LeaseHeld:
            return "yielded"

    runs = [asyncio.create_task(work()) for _ in range(8)]
    await eventually(lambda: sum(run.done() for run in runs) >= 7)
    done.set()
    assert sorted(await asyncio.gather(*runs)) == ["worked", *["yielded"] * 7]


async def test_renewal_outlasts_the_duration_and_a_dead_run_does_not(container: ContainerClient) -> None:
    """After its 15 seconds a renewed lease is still valid; that of a killed process (not renewed) is free."""
    short = BlobStore(container, SystemClock(), lease_duration=timedelta(seconds=15))
    async with short.lease("lease/dead"):
        pass
    await container.get_blob_client("lease/dead~lease").acquire_lease(lease_duration=15)
    async with short.lease("lease/alive") as lease:
        with pytest.raises(LeaseHeld):
            async with short.lease("lease/dead"):
                pass
        await asyncio.sleep(15.5)
        lease.check()
        with pytest.raises(LeaseHeld):
            async with short.lease("lease/alive"):
                pass
        async with short.lease("lease/dead"):
            pass


async def test_a_full_blob_is_continued_in_the_next(container: ContainerClient, line: Line) -> None:
    """Appends beyond the service's block limit continue in another blob, and readers always see one file."""
    line.full_after = 3
    store = BlobStore(container, SystemClock(), blocks_per_blob=3)
    expected = b""
    for n in range(8):
        assert await store.tail("a/h.sent", len(expected)) == b""
        block = bytes([n]) * (n + 1)
        await store.append("a/h.sent", block)
        assert await store.tail("a/h.sent", len(expected)) == block
        expected += block
    for offset in range(len(expected) + 2):
        assert await store.tail("a/h.sent", offset) == expected[offset:]
    saved = await store.read("a/h.sent")
    assert saved is not None and saved.data == expected
    assert await store.names("a") == ["a/h.sent"]
    assert [name async for name in container.list_blob_names()] == ["a/h.sent", "a/h.sent~1", "a/h.sent~2"]


async def test_a_continued_file_moves_and_goes_as_one(container: ContainerClient, line: Line) -> None:
    """Rename and delete include every part, and a new file of that name starts empty."""
    line.full_after = 2
    store = BlobStore(container, SystemClock(), blocks_per_blob=2)
    for n in range(5):
        await store.append("h.sent", bytes([n]))
    await store.rename("h.sent", "unreadable/h.sent")
    assert await store.tail("unreadable/h.sent", 0) == bytes(range(5))
    assert await store.tail("h.sent", 0) == b""
    await store.append("unreadable/h.sent", b"\x05")
    assert await store.tail("unreadable/h.sent", 4) == b"\x04\x05"
    for n in range(3):
        await store.append("x.sent", bytes([n]))
    await store.delete("x.sent")
    assert [name async for name in container.list_blob_names()] == ["unreadable/h.sent"]


async def test_what_is_appended_during_a_rename_moves_too(store: BlobStore, line: Line) -> None:
    """A block that arrives between the copy and the removal is not lost."""
    await store.append("h.sent", b"one")
    line.before_delete = lambda: store.append("h.sent", b"two")
    await store.rename("h.sent", "unreadable/h.sent")
    assert await store.tail("unreadable/h.sent", 0) == b"onetwo"
    assert await store.tail("h.sent", 0) == b""


async def test_eight_writers_append_two_hundred_blocks(azurite: "Azurite") -> None:
    """Writers with separate clients, like processes: every block arrives once, whole."""
    blocks = [n.to_bytes(8, "big") for n in range(200)]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(azurite.container("eight-writers")) for _ in range(8)]
        stores = [BlobStore(client, SystemClock()) for client in clients]

        async def write(number: int) -> None:
            for block in blocks[number::8]:
                await stores[number].append("h.sent", block)

        await asyncio.gather(*(write(number) for number in range(8)))
        data = await stores[0].tail("h.sent", 0)
    assert sorted(data[at : at + 8] for at in range(0, len(data), 8)) == blocks


# The SDK hands documents to aiohttp as bytes; a warning for servers with many clients.
@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
async def test_large_documents_and_files_come_back_whole(store: BlobStore) -> None:
    """More than one request can carry: 65 MB are staged and committed by tag, 33 MB are appended in one block."""
    document, block = random.Random(1).randbytes(65 * 1024**2), random.Random(2).randbytes(33 * 1024**2)
    await store.replace("plan.json", document, await store.create("plan.json", b"{}"))
    saved = await store.read("plan.json")
    assert saved is not None and saved.data == document
    with pytest.raises(CheckpointMoved):
        await store.create("plan.json", document)
    await store.append("day.jsonl", block)
    assert await store.tail("day.jsonl", 5) == block[5:]


async def test_looking_for_news_costs_one_request(store: BlobStore, line: Line) -> None:
    """The ledger checks at every page, with one request, whether or not there is news."""
    await store.append("h.sent", b"12345678")
    line.requests = 0
    assert await store.tail("h.sent", 8) == b""
    assert await store.tail("h.sent", 0) == b"12345678"
    assert line.requests == 2


async def test_a_lost_answer_never_loses_a_block(store: BlobStore, line: Line) -> None:
    """If only the response is lost the SDK sends again: the block may be stored twice, never in part."""
    await store.append("h.sent", b"12345678")
    line.answers_to_lose = 1
    await store.append("h.sent", b"abcdefgh")
    assert await store.tail("h.sent", 8) == b"abcdefgh" * 2


async def test_a_swap_whose_answer_was_lost_stops_the_run(store: BlobStore, line: Line) -> None:
    """The retry finds the first attempt's ETag: the run yields, the document is the new one, the next run resumes."""
    etag = await store.create("a.json", b"one")
    line.answers_to_lose = 1
    with pytest.raises(CheckpointMoved):
        await store.replace("a.json", b"two", etag)
    saved = await store.read("a.json")
    assert saved is not None and saved.data == b"two"


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [
        ((403, "AuthorizationPermissionMismatch"), "Storage Blob Data Contributor on the container"),
        ((401, "InvalidAuthenticationInfo"), "the identity could not sign in"),
        ((409, "InvalidBlobType"), "another type"),
        ((503, "ServerBusy"), "the next run resumes"),
        ((418, "Teapot"), "not one this release knows"),
    ],
)
async def test_every_refusal_names_its_remedy(
    store: BlobStore, line: Line, refusal: tuple[int, str], remedy: str
) -> None:
    """In every method a refusal is StoreFailed with what to do."""
    line.refusal = refusal

    async def hold() -> None:
        async with store.lease("lease/a"):
            pass

    for attempt in (
        store.read("a"),
        store.create("a", b"x"),
        store.replace("a", b"x", Etag('"0x1"')),
        store.append("a", b"x"),
        store.tail("a", 1),
        store.names("a"),
        store.delete("a"),
        store.rename("a", "b"),
        hold(),
    ):
        with pytest.raises(StoreFailed, match=remedy):
            await attempt


async def test_storage_out_of_reach_stops_the_run(store: BlobStore, line: Line) -> None:
    """No response is StoreFailed after three attempts."""
    line.cut, line.requests = True, 0
    with pytest.raises(StoreFailed, match="private endpoint"):
        await store.read("a")
    assert line.requests == 3


async def test_a_missing_container_is_the_deployments_business(azurite: "Azurite") -> None:
    """The bridge does not create the container: every method's error names the deployment."""
    async with open_container(f"{azurite.url}/nobody-made-it", azurite.credential) as client:
        store = BlobStore(client, SystemClock())
        for attempt in (store.read("a"), store.create("a", b""), store.append("a", b"x"), store.delete("a")):
            with pytest.raises(StoreFailed, match="deploy the storage again"):
                await attempt
        with pytest.raises(StoreFailed, match="deploy the storage again"):
            async with store.lease("lease/a"):
                pass


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a//b", "a/../b", "a/./b", "", "a b", "a~1", "a\x00b"])
async def test_a_name_is_words_and_slashes(store: BlobStore, line: Line, name: str) -> None:
    """Any other name is refused before a request is made."""
    line.requests = 0
    with pytest.raises(ValueError, match="not a name"):
        await store.append(name, b"x")
    assert line.requests == 0


def test_a_lease_has_the_services_bounds(container: ContainerClient) -> None:
    """A duration the service would refuse is refused when the store is built."""
    with pytest.raises(ValueError, match="15 to 60 seconds"):
        BlobStore(container, SystemClock(), lease_duration=timedelta(seconds=5))
