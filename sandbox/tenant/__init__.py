"""A simulated Claude Enterprise tenant, generated from a seed: people, machines, and occasional incidents.

`build_tenant` returns the whole feed, `days` the same one day at a time, `samples` one activity of every type.
"""

from sandbox.tenant.company import Company, Group, ServiceAccount, TenantKey, TenantOrganization
from sandbox.tenant.people import Person
from sandbox.tenant.places import FAR_PLACES, OFFICES, Place, locate
from sandbox.tenant.samples import samples
from sandbox.tenant.simulation import Simulation, Tenant, build_tenant, days
from sandbox.tenant.storyline import Storyline

__all__ = [
    "FAR_PLACES",
    "OFFICES",
    "Company",
    "Group",
    "Person",
    "Place",
    "ServiceAccount",
    "Simulation",
    "Storyline",
    "Tenant",
    "TenantKey",
    "TenantOrganization",
    "build_tenant",
    "days",
    "locate",
    "samples",
]
