"""Azure's side: the identity, its role on the data collection rule, and the tables as they are deployed."""

from datetime import timedelta

from shared import tables
from shared.doctor.check import Check, Subject, failed, passed, warned
from shared.errors import BridgeError, Busy, SinkBusy
from shared.logs import safe

PROBE_LASTS = timedelta(seconds=30)
SAME_TYPES = {"boolean": "bool"}
STANDARD = frozenset(
    ("TenantId", "SourceSystem", "MG", "ManagementGroupName", "Computer", "RawData", "Type", "Title", "Id", "UniqueId")
)
"""Columns the service adds by itself; those that begin with an underscore are its own too."""

WORKSPACE_REMEDY = "set WORKSPACE_ID and give the identity Log Analytics Reader on the workspace: then this is asked"


async def identity(subject: Subject) -> Check:
    """Whether a token for the ingestion audience can be had."""
    try:
        await subject.token()
    except BridgeError as wrong:
        remedy = "sign in (az login), or give the app its managed identity; check INGESTION_AUDIENCE"
        return failed("identity", safe(str(wrong)), remedy)
    return passed("identity", "a token for the ingestion audience was obtained")


async def role(subject: Subject, identified: Check) -> Check:
    """An empty array is taken by who may publish to the rule, and stores nothing."""
    name = "role on the DCR"
    if identified.verdict != "pass":
        return warned(name, "not asked: there is no token", "fix the `identity` check first")
    try:
        await subject.sink.probe(deadline=subject.connection.clock.now() + PROBE_LASTS)
    except SinkBusy as busy:
        return warned(name, safe(str(busy)), "try again in a minute; if it lasts, check INGESTION_ENDPOINT and DNS")
    except BridgeError as refused:
        remedy = "give the identity Monitoring Metrics Publisher on the DCR; it takes up to 30 minutes to work"
        return failed(name, safe(str(refused)), remedy)
    return passed(name, "the rule takes rows from this identity")


async def columns(subject: Subject, table_name: str) -> Check:
    """A table's columns as deployed against this release's. The DCR's stream cannot be seen from here."""
    table, name = tables.load(table_name), f"columns of {table_name}"
    workspace = subject.connection.workspace
    if workspace is None:
        return warned(name, "not asked: no workspace is configured", WORKSPACE_REMEDY)
    try:
        answer = await workspace.rows(f"{table_name} | getschema | project ColumnName, ColumnType")
    except Busy as busy:
        return warned(name, safe(str(busy)), "try again in a minute")
    except BridgeError as refused:
        return failed(name, safe(str(refused)), "deploy the tables, and check WORKSPACE_ID and the role on it")
    deployed = {str(column): str(kind) for column, kind in answer}
    missing = [column.name for column in table.columns if column.name not in deployed]
    wrong = [
        f"{column.name} is {deployed[column.name]}, not {column.type}"
        for column in table.columns
        if column.name in deployed and deployed[column.name] != SAME_TYPES.get(column.type, column.type)
    ]
    extra = sorted(n for n in deployed.keys() - set(table.names) - STANDARD if not n.startswith("_"))
    if missing or wrong:
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        what = safe("; ".join(parts + wrong))
        return failed(name, what, "deploy the tables and then the DCR of this release, in that order")
    if extra:
        remedy = "they stay empty: a newer release was here, or somebody added them; nothing has to be done"
        return warned(name, f"more than this release knows: {safe(', '.join(extra))}", remedy)
    return passed(name, f"all {len(table.columns)} columns of version {table.version}")
