"""A seeded Claude Enterprise tenant that lives: its people work, its machines run, and now and then something is wrong.

`build_tenant` gives the whole feed, `days` the same one day at a time, `samples` one activity of every type.
"""

from sandbox.tenant.company import Company, Group, Key, Organization, ServiceAccount
from sandbox.tenant.life import Life, Tenant, build_tenant, days
from sandbox.tenant.people import Person
from sandbox.tenant.places import FAR_PLACES, OFFICES, Place, locate
from sandbox.tenant.samples import samples
from sandbox.tenant.scene import Storyline

__all__ = [
    "FAR_PLACES",
    "OFFICES",
    "Company",
    "Group",
    "Key",
    "Life",
    "Organization",
    "Person",
    "Place",
    "ServiceAccount",
    "Storyline",
    "Tenant",
    "build_tenant",
    "days",
    "locate",
    "samples",
]
