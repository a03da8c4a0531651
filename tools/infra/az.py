"""The Azure CLI, as the signed-in user."""

import shutil
import subprocess
from collections.abc import Callable, Sequence

Run = Callable[[Sequence[str]], str]
"""Runs `az` with these arguments and returns its output. Raises AzFailed."""


class AzMissing(Exception):
    """The Azure CLI is not installed."""


class AzFailed(Exception):
    """An Azure CLI command failed; the message is the CLI's."""

    @property
    def not_found(self) -> bool:
        """Whether it failed because the resource does not exist."""
        return "NotFound" in str(self) or "could not be found" in str(self)


def found() -> Run:
    """The Azure CLI of this machine. Raises AzMissing."""
    program = shutil.which("az")
    if program is None:
        raise AzMissing("the Azure CLI is not installed")

    def run(arguments: Sequence[str]) -> str:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AzFailed(done.stderr.strip() or f"az {arguments[0]} exited with code {done.returncode}")
        return done.stdout

    return run
