"""The Azure CLI, asked as the person who is signed in."""

import shutil
import subprocess
from collections.abc import Callable, Sequence

Run = Callable[[Sequence[str]], str]
"""Runs `az` with these arguments and returns what it wrote. Raises AzFailed."""


class AzMissing(Exception):
    """There is no Azure CLI on this machine."""


class AzFailed(Exception):
    """The Azure CLI refused; the message is its own."""

    @property
    def not_there(self) -> bool:
        """Whether it refused because the resource is not there."""
        return "NotFound" in str(self) or "could not be found" in str(self)


def found() -> Run:
    """The Azure CLI of this machine. Raises AzMissing."""
    program = shutil.which("az")
    if program is None:
        raise AzMissing("no Azure CLI on this machine")

    def run(arguments: Sequence[str]) -> str:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AzFailed(done.stderr.strip() or f"az {arguments[0]} ended with {done.returncode}")
        return done.stdout

    return run
