"""What a cold start imports, and what it must not."""

from bench import cold_import


def test_the_measurement_says_what_it_promised() -> None:
    """One process each way: positive seconds, and a profile that accounts for the modules of both sides."""
    reading, other = cold_import.ours(1), cold_import.baseline(1)
    assert reading.value > other.value > 0
    assert reading.facts.keys() == {"compiled_seconds", "importtime_seconds", "modules"}
    assert reading.facts["importtime_seconds"] > 0


def test_the_profile_tells_packages_apart() -> None:
    """Ours, Azure's by service, and nothing of the interpreter's own start."""
    with cold_import.app_without_bytecode() as folder:
        packages = cold_import.profiled("function_app", folder).by_package()
    assert {"shared", "function_app", "azure.functions.decorators", "pydantic"} <= packages.keys()
    assert not {"site", "sandbox", "bench", "typer", "duckdb"} & packages.keys()
