"""`python -m sentinel.tools`."""

from sentinel.tools.cli import app

app()
