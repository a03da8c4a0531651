"""What pytest loads before it looks for tests: plugins may be named here and nowhere below."""

pytest_plugins = ["tests.azurite", "tests.session"]
