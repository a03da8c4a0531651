"""Uploads to one stream of one DCR through the Logs Ingestion API, by the official client's stream door."""

import asyncio
import io
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.monitor.ingestion.aio import LogsIngestionClient

from shared.azure_errors import INGESTION, status_of, translated, words_of
from shared.clock import Clock
from shared.errors import BridgeError, SinkBusy, SinkRefused
from shared.logs import event, logger
from shared.models import Outgoing
from shared.retry import bounded, retrying
from shared.sink.batches import SCHEMA_FAULT_ROWS, SINK_ATTEMPTS, UPLOAD_LIMIT_BYTES, Batch, Sent, batches

log = logger(__name__)

PACKED_AHEAD = 4
"""Uploads of one page whose bodies exist at the same time, waiting for their turn included."""

Remember = Callable[[Sequence[Outgoing]], Awaitable[None]]


class _Refused(Exception):
    """The service will not take this upload as it is (400 or 413); smaller ones may pass."""


class LogAnalytics:
    """Sends rows of one table. `remember` is awaited with the rows of each upload as soon as it was accepted.

    Four uploads at most are in flight over all pages. Retries are ours: the client repeats no POST on a plain 429 or
    a reset connection, and sleeps any Retry-After to its end.
    """

    def __init__(
        self,
        client: LogsIngestionClient,
        *,
        rule_id: str,
        stream: str,
        clock: Clock,
        in_flight: asyncio.Semaphore,
        limit_bytes: int = UPLOAD_LIMIT_BYTES,
        enforce_https: bool = True,
    ) -> None:
        self._client = client
        self._rule_id = rule_id
        self._stream = stream
        self._clock = clock
        self._in_flight = in_flight
        self._limit_bytes = limit_bytes
        # Named only when it is off (a loopback sandbox): the transport does not know the option.
        self._options: dict[str, Any] = {} if enforce_https else {"enforce_https": False}
        self._jitter = random.Random(0)

    async def send(self, rows: Sequence[Outgoing], remember: Remember, *, deadline: datetime) -> Sent:
        """Upload `rows`; returns with those the service refused, for the caller to keep as dead letters.

        Raises SinkBusy or SinkRefused only after every upload in flight has ended and what was accepted is remembered.
        """
        sent, failures = Sent(), list[BaseException]()
        packed = batches(rows, limit_bytes=self._limit_bytes)

        async def deliver_on() -> None:
            # An upload's body is made when its turn has come: a page's worth of them at once is a second page.
            for batch in packed:
                try:
                    await self._deliver(batch, remember, sent, deadline)
                except Exception as failure:
                    failures.append(failure)

        outcomes = await asyncio.gather(*(deliver_on() for _ in range(PACKED_AHEAD)), return_exceptions=True)
        failures += [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        for failure in sorted(failures, key=lambda failure: isinstance(failure, BridgeError)):
            raise failure  # a defect or a cancellation first, it must not hide behind a busy service
        if rows and len(sent.refused) == len(rows):
            await self.probe(deadline=deadline)  # every row refused: is it the rows, or the stream?
        return sent

    async def probe(self, *, deadline: datetime) -> None:
        """Post an empty array: the service answers 204 when identity, role, rule and stream are right."""
        try:
            await self._upload(Batch((), b"[]"), deadline, Sent())
        except _Refused as refusal:
            raise SinkRefused(
                f"the ingestion endpoint refuses even an empty upload ({refusal}): the DCR does not declare the stream "
                f"{self._stream}; deploy the tables and the DCR of this release, in that order"
            ) from refusal

    async def _deliver(self, batch: Batch, remember: Remember, sent: Sent, deadline: datetime) -> None:
        if len(sent.refused) > SCHEMA_FAULT_ROWS:
            raise _schema_fault(sent)
        try:
            wire_bytes = await self._upload(batch, deadline, sent)
        except _Refused as refusal:
            if len(batch.rows) == 1:
                sent.refused.append((batch.rows[0], str(refusal)))
                if len(sent.refused) > SCHEMA_FAULT_ROWS:
                    raise _schema_fault(sent) from refusal
                return
            for half in batch.halves():
                await self._deliver(half, remember, sent, deadline)
            return
        await remember(batch.rows)
        sent.rows += len(batch.rows)
        sent.batches += 1
        sent.bytes += len(batch.body)
        event(log, "batch.sent", rows=len(batch.rows), bytes=len(batch.body), wire_bytes=wire_bytes)

    async def _upload(self, batch: Batch, deadline: datetime, sent: Sent) -> int:
        """One upload with its retries; returns the bytes on the wire."""

        def count() -> None:
            sent.retries += 1

        async with self._in_flight:
            packed = await asyncio.to_thread(batch.compressed)
            forced_token = False
            async for attempt in retrying(
                self._clock,
                SinkBusy,
                attempts=SINK_ATTEMPTS,
                deadline=deadline,
                jitter=self._jitter,
                what="upload",
                count=count,
            ):
                with attempt:
                    try:
                        async with bounded(self._clock, deadline, _late()):  # the token as well
                            await self._client.upload(
                                self._rule_id,
                                self._stream,
                                io.BytesIO(packed),
                                retry_total=0,
                                permit_redirects=False,  # rows go where the settings say, or nowhere
                                **self._options,
                            )
                    except AzureError as refused:
                        if status_of(refused) in (400, 413):
                            raise _Refused(f"{status_of(refused)}: {_words(refused)}") from refused
                        if status_of(refused) == 401 and not forced_token:
                            forced_token = True  # the client drops its cached token on a 401; ask once with a new one
                            raise SinkBusy("the ingestion endpoint refused the token", after=0.0) from refused
                        raise translated(refused, INGESTION, now=self._clock.now()) from refused
        return len(packed)


def _late() -> SinkBusy:
    return SinkBusy(
        "the ingestion endpoint, or the identity's token for it, had not answered when the run's time was up: the next "
        "run sends again what was not acknowledged"
    )


def _words(answer: AzureError) -> str:
    return words_of(answer) if isinstance(answer, HttpResponseError) else type(answer).__name__


def _schema_fault(sent: Sent) -> SinkRefused:
    reason = sent.refused[-1][1]
    return SinkRefused(
        f"more than {SCHEMA_FAULT_ROWS} rows of one page were refused ({reason}): the table or DCR does not fit this "
        "release; deploy the tables and the DCR again, in that order"
    )
