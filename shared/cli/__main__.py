"""`claude-bridge`."""

from shared.cli import app

app(prog_name="claude-bridge")
