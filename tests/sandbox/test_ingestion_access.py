"""Requests that the endpoint refuses, by the sections of logs-ingestion.md."""

import zlib
from typing import Any

import pytest

from tests.kql.workspace_world import STREAM
from tests.sandbox.ingestion_world import HEADERS, PATH, RULE, VERSION, World

ROW = {"Id": "a"}
MIB = 1_048_576


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in HEADERS.items() if key != name}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"params": {}}, 400, "InvalidApiVersion"),
        ({"params": {"api-version": "2020-01-01"}}, 400, "InvalidApiVersion"),
        ({"headers": without("authorization")}, 401, "AuthenticationFailed"),
        ({"headers": {**HEADERS, "authorization": "Bearer unknown"}}, 401, "AuthenticationFailed"),
        ({"headers": {**HEADERS, "authorization": "Bearer stranger"}}, 403, "OperationFailed"),
        ({"path": PATH.replace(RULE, "dcr-" + "f" * 32)}, 404, "NotFound"),
        ({"path": PATH.replace(STREAM, "Custom-Other_CL")}, 400, "InvalidStream"),
        ({"headers": without("content-type")}, 400, "InvalidContentType"),
        ({"headers": {**HEADERS, "content-type": "text/plain"}}, 400, "InvalidContentType"),
        ({"headers": {**HEADERS, "content-encoding": "br"}}, 400, "InvalidContentEncoding"),
        ({"headers": {**HEADERS, "content-encoding": "gzip"}}, 400, "InvalidContentEncoding"),
    ],
)
async def test_a_wrong_call_is_refused(change: dict[str, Any], status: int, code: str) -> None:
    """Sections 1 and 3: each part of the call, wrong by itself, has its status; the body says {"error": {...}}."""
    world = World()
    response = await world.post([ROW], **change)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["error"]["message"]
    assert world.stored() == []
    assert world.metrics.calls == {status: 1}


@pytest.mark.parametrize("version", ["2023-01-01", "2021-11-01-preview"])
async def test_both_versions_in_use_are_accepted(version: str) -> None:
    """Section 1: the version of all SDKs and the preview that other shippers still send."""
    assert (await World().post([ROW], params={"api-version": version})).status_code == 204


@pytest.mark.parametrize("zipped", [False, True])
async def test_rows_are_stored_plain_or_gzipped(zipped: bool) -> None:
    """Section 1: an array of objects is accepted with 204 and an empty body, compressed or not."""
    world = World()
    response = await world.post([{"Id": "a"}, {"Id": "b"}], zipped=zipped)
    assert (response.status_code, response.content) == (204, b"")
    assert world.stored() == [("a",), ("b",)]
    assert (world.metrics.rows_received, world.metrics.rows_stored) == (2, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 500),
        (b"[", 400),
        (b'[{"Id": NaN}]', 400),
        (b'[{"Id": "\xff"}]', 400),
        (b"[" * 100_000, 400),
        (b"[]", 204),
    ],
)
async def test_odd_bodies_have_their_codes(body: bytes, status: int) -> None:
    """Section 3: an empty body is a server error, broken JSON a client's; section 1: [] is a health probe."""
    world = World()
    assert (await world.post(body)).status_code == status
    assert world.stored() == []


async def test_an_object_is_accepted_and_stored_nowhere() -> None:
    """Sections 1 and 4: the trap, a single object instead of an array, gets a 204; only our counter shows it."""
    world = World()
    assert (await world.post(ROW)).status_code == 204
    assert world.stored() == []
    assert world.metrics.bodies_not_arrays == 1


@pytest.mark.parametrize("zipped", [False, True])
async def test_a_mebibyte_fits_and_one_byte_more_does_not(zipped: bool) -> None:
    """Section 2: one call is 1,048,576 bytes at most, compressed and uncompressed; over it 413 names the limit."""
    world = World()
    frame = len(b'[{"Id": ""}]')
    for length, status in ((MIB, 204), (MIB + 1, 413)):
        body = b'[{"Id": "' + b"x" * (length - frame) + b'"}]'
        assert len(body) == length
        response = await world.post(body, zipped=zipped)
        assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == "ContentLengthLimitExceeded"
    assert str(MIB) in error["message"]


async def test_a_gzip_bomb_is_too_large_and_a_cut_one_bad() -> None:
    """Sections 2 and 3: a small body that grows past the limit is 413; one that ends early is a bad encoding, 400."""
    world = World()
    bomb = zlib.compress(b" " * (64 * MIB), wbits=31)
    assert len(bomb) < MIB
    zipped = {**HEADERS, "content-encoding": "gzip"}
    assert (await world.post(bomb, headers=zipped)).status_code == 413
    cut = zlib.compress(b'[{"Id": "a"}]', wbits=31)[:-9]
    assert (await world.post(cut, headers=zipped)).status_code == 400
    assert world.stored() == []


async def test_other_methods_and_paths_are_unknown() -> None:
    """Section 1: there is one call, a POST."""
    world = World()
    assert (await world.post([ROW], path="/dataCollectionRules", params=VERSION)).status_code == 404
