"""Our own reads are recognized by their request ids, and tell which key the API knows us by."""

from datetime import timedelta

from sandbox.world import KEY_ID, open_world
from shared.clock import SimulatedClock
from shared.runs import live
from shared.settings import load
from shared.streams.activity.rows import OWN_REQUESTS_KEPT, OwnRequests
from shared.wiring import build
from tests.fakes import NOON, MemoryStore


def test_only_an_activity_of_our_own_request_names_our_key() -> None:
    """Somebody else with the same key has another request id; a strange actor names nobody."""
    reads = OwnRequests()
    reads.add(["req_1", "req_2"])
    ours = {"type": "compliance_api_accessed", "request_id": "req_1", "actor": {"api_key_id": "apikey_01A"}}
    assert reads.key_of(ours) == "apikey_01A"
    assert reads.key_of({**ours, "request_id": "req_9"}) is None
    assert reads.key_of({**ours, "actor": None}) is None and reads.key_of({}) is None


def test_memory_is_bounded_and_the_newest_are_kept() -> None:
    """A day's requests are remembered, not a year's."""
    reads = OwnRequests()
    reads.add(f"req_{number}" for number in range(OWN_REQUESTS_KEPT + 10))
    assert reads.key_of({"request_id": "req_5", "actor": {"api_key_id": "k"}}) is None
    assert reads.key_of({"request_id": f"req_{OWN_REQUESTS_KEPT + 5}", "actor": {"api_key_id": "k"}}) == "k"


async def test_the_health_row_tells_the_key_id_learned() -> None:
    """Two live runs: the second carries the record of the first one's request."""
    clock = SimulatedClock(NOON)
    with open_world(clock) as world:
        settings = load(**world.settings())
        async with build(settings, clock=clock, credential=world.credential, store=MemoryStore()) as bridge:
            await live.init(bridge.connections[0])
            for _ in range(3):
                clock.advance(timedelta(minutes=3))
                (run,) = await bridge.poll()
        assert run.counts.own_keys == {KEY_ID}
        told = world.workspace.query("ClaudeBridgeHealth_CL | mv-expand k = OwnKeyIds to typeof(string) | distinct k")
        assert told.rows == [(KEY_ID,)]
        own = world.workspace.query(
            "ClaudeActivity | where ActivityType == 'compliance_api_accessed' | distinct IsOwnRead"
        )
        assert own.rows == [(True,)]
