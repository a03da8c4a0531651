"""Locations of the simulated people and machines, with documentation addresses only (RFC 5737, RFC 3849).

Offices share a few egress addresses. `locate` maps an address to its place, because public geolocation does not cover
documentation ranges.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A town, its fixed UTC offset (no daylight saving: the simulation stays simple) and the networks seen there."""

    name: str
    country: str
    latitude: float
    longitude: float
    utc_offset: timedelta
    office: str | None
    home: str
    home_v6: str


def _place(
    name: str, country: str, latitude: float, longitude: float, hours: float, number: int, home: str, office: str | None
) -> Place:
    return Place(name, country, latitude, longitude, timedelta(hours=hours), office, home, f"2001:db8:{number:x}::/48")


OFFICES: Final = (
    _place("Berlin", "DE", 52.52, 13.40, 1, 1, "198.51.100.0/27", "192.0.2.0/28"),
    _place("London", "GB", 51.51, -0.13, 0, 2, "198.51.100.32/27", "192.0.2.16/28"),
    _place("New York", "US", 40.71, -74.01, -5, 3, "198.51.100.64/27", "192.0.2.32/28"),
    _place("Bengaluru", "IN", 12.97, 77.59, 5.5, 4, "198.51.100.96/27", "192.0.2.48/28"),
    _place("Sydney", "AU", -33.87, 151.21, 10, 5, "198.51.100.128/27", "192.0.2.64/28"),
)
# No employee lives here: the foreign addresses of storylines.
FAR_PLACES: Final = (
    _place("Reykjavik", "IS", 64.15, -21.94, 0, 0x11, "203.0.113.128/28", None),
    _place("Auckland", "NZ", -36.85, 174.76, 12, 0x12, "203.0.113.144/28", None),
    _place("Montevideo", "UY", -34.90, -56.16, -3, 0x13, "203.0.113.160/28", None),
    _place("Nairobi", "KE", -1.29, 36.82, 3, 0x14, "203.0.113.176/28", None),
)
CLOUD: Final = "203.0.113.0/26"  # build runners, service accounts and collectors

# The address of Anthropic's own actions on a user's behalf (compliance-api.md, 6.4).
NO_ADDRESS: Final = "0.0.0.0"


def host(network: str, number: int) -> str:
    """The `number`-th usable address of `network`, modulo its size."""
    net = ip_network(network)
    if isinstance(net, IPv6Network):
        return str(net[(number % 65_000 + 1) << 64 | 0x10])
    return str(net[1 + number % (net.num_addresses - 2)])


@cache
def locate(address: str) -> Place | None:
    """The place of an address; None for the cloud, for NO_ADDRESS and for unknown addresses."""
    found = ip_address(address)
    for place in OFFICES + FAR_PLACES:
        for network in _networks(place):
            if found in network:
                return place
    return None


def _networks(place: Place) -> list[IPv4Network | IPv6Network]:
    texts = (place.office, place.home, place.home_v6)
    return [ip_network(text) for text in texts if text]
