"""`python -m sentinel`."""

from sentinel.cli import app

app()
