"""The right to work on one thing, as a lease on a small blob that is renewed while the run lasts."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient

from shared.azure_errors import STATE, answered, code_of, status_of
from shared.clock import Clock
from shared.errors import LeaseHeld, LeaseLost
from shared.logs import event, logger

log = logger(__name__)

SHORTEST, LONGEST = timedelta(seconds=15), timedelta(seconds=60)
"""What the service allows for a lease that ends by itself."""
RENEWALS = 3
"""Renewals within one duration, so that one may fail."""


class BlobLease:
    """A lease that was acquired; `keep` renews it until it is gone."""

    def __init__(self, client: BlobLeaseClient, name: str, clock: Clock, duration: timedelta) -> None:
        self._client = client
        self._name = name
        self._clock = clock
        self._duration = duration
        self._asked = clock.now()
        self._gone = False

    def check(self) -> None:
        """Raise LeaseLost when the service said so, or when nothing was heard of it for a whole duration."""
        if self._gone:
            raise LeaseLost(f"another run took {self._name} over; this one stops")
        if self._clock.now() - self._asked >= self._duration:
            raise LeaseLost(f"{self._name} could not be renewed in time, another run may have it; this one stops")

    async def acquire(self) -> None:
        """Raises LeaseHeld. The SDK repeats a lost request with the same id, which the service takes as a renewal."""
        asked = self._clock.now()
        try:
            await self._client.acquire(lease_duration=int(self._duration.total_seconds()))
        except HttpResponseError as refused:
            if code_of(refused).startswith("Lease"):
                raise LeaseHeld(f"another run holds {self._name}; skipping") from refused
            raise
        self._asked = asked

    async def keep(self) -> None:
        """Renew until the lease is gone; a failed renewal is tried again soon, `check` watches for how long."""
        pause = self._duration / RENEWALS
        while True:
            await self._clock.sleep(pause.total_seconds())
            # From before the request: the service may have counted from any moment since.
            asked = self._clock.now()
            try:
                await self._client.renew(retry_total=0)
            except AzureError as refused:
                if code_of(refused).startswith("Lease") or status_of(refused) == 404:
                    self._gone = True
                    event(log, "lease.lost", level=logging.WARNING, lease=self._name, code=code_of(refused))
                    return
                event(log, "lease.not_renewed", level=logging.WARNING, lease=self._name, reason=type(refused).__name__)
                pause = self._duration / (RENEWALS * 4)
            else:
                self._asked, pause = asked, self._duration / RENEWALS

    async def release(self) -> None:
        """Give it back; should that fail, the service does it at the end of the duration."""
        if self._gone:
            return
        try:
            await self._client.release(retry_total=0)
        except AzureError as refused:
            event(log, "lease.not_released", level=logging.WARNING, lease=self._name, code=code_of(refused))


@asynccontextmanager
async def held(blob: BlobClient, name: str, clock: Clock, duration: timedelta) -> AsyncIterator[BlobLease]:
    """Hold the lease on `blob`, which is made when missing; released at the end, also of a cancelled run.

    Raises LeaseHeld, or StoreFailed when the service cannot be asked.
    """
    lease = BlobLease(BlobLeaseClient(blob), name, clock, duration)
    with answered(STATE, blob.container_name):
        try:
            await lease.acquire()
        except ResourceNotFoundError as missing:
            if code_of(missing) != "BlobNotFound":
                raise
            await _make(blob)
            await lease.acquire()
    keeper = asyncio.create_task(lease.keep())
    try:
        yield lease
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await lease.release()


async def _make(blob: BlobClient) -> None:
    try:
        await blob.upload_blob(b"", overwrite=False)
    except ResourceExistsError:
        return  # another run was quicker, and may hold it by now
    except HttpResponseError as refused:
        if not code_of(refused).startswith("Lease"):
            raise
