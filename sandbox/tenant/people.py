"""People of the simulated company: names, departments, roles, addresses, and the days they joined and left."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.tenant.ids import Ids
from sandbox.tenant.places import OFFICES, Place, host

DOMAIN: Final = "contoso.example"

_FIRST_NAMES: Final = """
Mara Jonas Aylin Tomás Ingrid Ravi Chloe Dmitri Sofia Kwame Lena Hiro Amira Björn Priya Oscar Noor Elias Wanjiru Pavel
Greta Samuel Yara Anton Mei Luca Zoë Farid Astrid Diego Nadia Felix Imani Viktor Rosa Arjun Klara Omar Saoirse Mateo
Hana Emil Leila Jens Paula Kofi Ines René
"""
_LAST_NAMES: Final = """
Lind Weber Kaya Novak Larsen Iyer Martin Orlov Rossi Mensah Fischer Tanaka Haddad Ström Nair Okafor Janssen Ferreira
Kamau Horvat Brandt Cohen Silva Petrov Chen Moretti Dubois Rahimi Berg Alvarez Karim Schmid Osei Kovács Moreno Gupta
Vogel Hassan Byrne Vidal Sato Holm Zadeh Madsen Costa Boateng Pires Laurent Ncube Weiss Demir Quist Ramos Ueda Valdez
Wolff Xu Young Zeman Abara
"""

# Department: share of the company, and the seat most people there have.
DEPARTMENTS: Final = {
    "engineering": (0.30, "premium"),
    "sales": (0.17, "standard"),
    "finance": (0.09, "standard"),
    "research": (0.12, "premium"),
    "legal": (0.05, "standard"),
    "hr": (0.05, "standard"),
    "marketing": (0.08, "standard"),
    "operations": (0.08, "standard"),
    "it": (0.04, "standard"),
    "security": (0.02, "standard"),
}
_BROWSERS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Edg/141.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Claude/1.1 Electron/38.1",
)
_PHONES: Final = ("Claude/1.250.0 (iOS 18.6; iPhone16,1)", "Claude/1.250.0 (Android 15; Pixel 9)")
CODE_AGENT: Final = "claude-cli/2.0.14 (external, cli)"


@dataclass(frozen=True, slots=True)
class Person:
    """One member. `role` and `seat` are the API's values; `left` is None for those who stay.

    `works_from` is the office's shared egress address, `home` the person's own. `diligence` scales how much the
    person does in a day around 1.
    """

    user_id: str
    email: str
    name: str
    department: str
    role: str
    seat: str
    organization_id: str
    console_organization_id: str | None
    office: str
    works_from: str
    home: str
    user_agent: str
    mobile_agent: str
    utc_offset: timedelta
    diligence: float
    night_owl: bool
    hired: datetime
    left: datetime | None

    def employed(self, at: datetime) -> bool:
        return self.hired <= at and (self.left is None or at < self.left)

    def actor(self, *, address: str | None = None, agent: str | None = None) -> dict[str, str]:
        """This person's `user_actor` in the feed, by default with the office address."""
        return {
            "type": "user_actor",
            "email_address": self.email,
            "user_id": self.user_id,
            "ip_address": address or self.works_from,
            "user_agent": agent or self.user_agent,
        }


def hire(
    count: int,
    *,
    start: datetime,
    end: datetime,
    claude: tuple[str, str],
    console: tuple[str, str],
    rng: random.Random,
) -> tuple[Person, ...]:
    """`count` people; about 1.5 % join and leave in 30 days; one from sales always leaves within [start, end).

    `claude` and `console` are the ids of the main and the second organization of each product.
    """
    ids, names = Ids(rng), _names(rng)
    departments = _departments(count)
    roles = _roles(departments)
    span = end - start
    turnover = 0.015 * (span / timedelta(days=30))
    leaver = len(departments) - 1 - departments[::-1].index("sales") if "sales" in departments else None
    people = []
    for number, department in enumerate(departments):
        office = rng.choices(OFFICES, weights=(35, 20, 25, 12, 8))[0]
        name, local = next(names)
        in_research = department == "research"
        changes = rng.random() if roles[number] == "user" else 0.5
        hired = start - timedelta(days=rng.uniform(20, 1000))
        left = None
        if number == leaver:
            left = _late_afternoon(start + span * 0.8, office.utc_offset)
        elif changes < turnover:
            hired = start + span * rng.uniform(0.02, 0.9)
        elif changes > 1 - turnover:
            left = _late_afternoon(start + span * rng.uniform(0.1, 0.98), office.utc_offset)
        technical = department in ("engineering", "research", "it", "security")
        people.append(
            Person(
                user_id=ids.new("user"),
                email=f"{local}@{DOMAIN}",
                name=name,
                department=department,
                role=roles[number],
                seat=DEPARTMENTS[department][1],
                organization_id=claude[in_research],
                console_organization_id=console[in_research] if technical and rng.random() < 0.5 else None,
                office=office.name,
                works_from=host(office.office or office.home, number % 4),
                home=_home(office, number),
                user_agent=rng.choice(_BROWSERS),
                mobile_agent=rng.choice(_PHONES),
                utc_offset=office.utc_offset,
                diligence=min(2.2, max(0.35, rng.lognormvariate(-0.06, 0.35))),
                night_owl=rng.random() < 0.04,
                hired=hired,
                left=left,
            )
        )
    return tuple(people)


def _home(office: Place, number: int) -> str:
    """Two in three people have an IPv4 home address, shared by a few through their provider; the rest IPv6."""
    return host(office.home if number % 3 else office.home_v6, number)


def _late_afternoon(day: datetime, utc_offset: timedelta) -> datetime:
    """17:00 local time on that day, or on the Friday before if it falls on a weekend."""
    day -= timedelta(days=max(0, day.weekday() - 4))
    return day.replace(hour=17, minute=0, second=0, microsecond=0) - utc_offset


def _departments(count: int) -> list[str]:
    """Each department's share of `count` people, largest first; the rounding remainder goes to engineering."""
    names = [name for name, (share, _) in DEPARTMENTS.items() for _ in range(max(1, round(share * count)))]
    return (names + ["engineering"] * count)[:count]


def _roles(departments: list[str]) -> list[str]:
    """Roles: one primary owner, a few owners and administrators in IT and security, billing in finance."""
    wanted = {
        "it": ["primary_owner", "owner", "admin", "membership_admin", "admin", "admin"],
        "security": ["owner", "admin"],
        "finance": ["billing"],
        "marketing": ["admin"],
        "research": ["owner", "admin"],
        "engineering": ["admin", "developer", "developer"],
    }
    roles = []
    for department in departments:
        waiting = wanted.get(department)
        roles.append(waiting.pop(0) if waiting else "user")
    return roles


def _names(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Names with the local part of their address; a repeated name gets a number, as in real directories."""
    first, last = _FIRST_NAMES.split(), _LAST_NAMES.split()
    used: dict[str, int] = {}
    while True:
        name = f"{rng.choice(first)} {rng.choice(last)}"
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        local = plain.lower().replace(" ", ".")
        used[local] = used.get(local, 0) + 1
        yield name, local if used[local] == 1 else f"{local}{used[local]}"
