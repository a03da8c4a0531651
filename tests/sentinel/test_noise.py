"""Where nothing is wrong, little is said: the rules over two working days of a tenant without incidents."""

import pytest

from bench import noise

PEOPLE, DAYS = 2000, 2
LOUD = frozenset({"claude-admin-granted", "claude-audit-switched-off", "claude-sso-disabled"})


@pytest.mark.long
def test_a_quiet_tenant_raises_few_alerts() -> None:
    """Each rule stays within its expectedPerMonth, and High rules together under five a day, though all had news."""
    found = list(noise.measured(PEOPLE, DAYS))
    assert [each.slug for each in found if each.refused] == []
    assert [each.slug for each in found if each.too_noisy] == []
    assert noise.high_a_day(found) < noise.HIGH_A_DAY
    assert sum(each.runs > 0 for each in found) > len(found) / 3


@pytest.mark.long
def test_the_same_measure_hears_incidents() -> None:
    """With its storylines told, two days raise alerts: what is counted as quiet would be heard."""
    found = list(noise.measured(60, DAYS, stories=True, only=LOUD))
    assert {each.slug for each in found if each.alerts} == LOUD
    assert any(each.too_noisy for each in found)
