"""The app as the host sees it: names, triggers, schedules, who may ask."""

from tests.triggers.worker import Worker


def test_index(worker: Worker) -> None:
    """x"""
    for f in worker.functions.values():
        print(f)


async def test_poll(begun: Worker, world) -> None:
    """x"""
    from tests.triggers.conftest import rows

    print(await begun.fire("poll_activities"))
    print(rows(world))
    print(await begun.ask("health"))
    print(await begun.ask("plan"))
