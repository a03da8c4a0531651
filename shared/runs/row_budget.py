"""How many rows may be in hand at once: what bounds the memory of ten readers of full pages."""

import asyncio
from collections import deque


class RowBudget:
    """A weighted semaphore of `size` rows, shared by the planned windows of one connection, served in order of request.

    Nobody who holds rows waits for more, so that all who wait are served in the end.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, rows: int) -> int:
        """Wait for budget; returns how much was taken, to be given back. More than there is takes all of it."""
        rows = min(rows, self._size)
        if self.try_acquire(rows):
            return rows
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._serve()  # it may have stood in the way of smaller ones
            else:
                self.release(rows)
            raise
        return rows

    def try_acquire(self, rows: int) -> bool:
        """Take budget if it is there and nobody has waited for it longer; all or none."""
        if self._waiting or rows > self._free:
            return False
        self._free -= rows
        return True

    def release(self, rows: int) -> None:
        """Return what was taken."""
        self._free += rows
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            rows, turn = self._waiting[0]
            if not turn.done():
                if rows > self._free:
                    return
                self._free -= rows
                turn.set_result(None)
            self._waiting.popleft()
