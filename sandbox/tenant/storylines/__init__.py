"""The incidents of the simulated tenant, one script each; `SCRIPTS` is their order in time."""

from typing import Final

from sandbox.tenant.storyline import Script
from sandbox.tenant.storylines.agents import AGENTS
from sandbox.tenant.storylines.controls import CONTROLS
from sandbox.tenant.storylines.data import DATA
from sandbox.tenant.storylines.identity import IDENTITY
from sandbox.tenant.storylines.rights import RIGHTS

# Interleaved, so that storylines of one kind are spread out.
SCRIPTS: Final[tuple[Script, ...]] = tuple(
    script
    for number in range(max(map(len, (IDENTITY, RIGHTS, CONTROLS, DATA, AGENTS))))
    for family in (IDENTITY, DATA, CONTROLS, RIGHTS, AGENTS)
    for script in family[number : number + 1]
)
