"""Rules and hunts carried out: what a query answers in the worlds of its tests, and which of its mutants survive."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kql import KqlRefused, QueryAnswer
from sentinel.tools.load.content import File
from sentinel.tools.load.models import Case, Detection, Rule
from sentinel.tools.prove.cases import Sent, watchlist_rows, world
from sentinel.tools.prove.laws import Retold, retellings
from sentinel.tools.prove.mutate import Mutant
from sentinel.tools.prove.stage import stage


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test went: `failure` is None when it held, else what was found instead."""

    name: str
    failure: str | None


@dataclass(frozen=True, slots=True)
class Scene:
    """A case with its world, made once and played many times."""

    case: Case
    sent: list[Sent]
    lists: list[dict[str, str]]


def scenes(file: File[Any]) -> list[Scene]:
    """The worlds of a file's tests; ContentError-worthy mistakes come as ValueError naming the test."""
    made = []
    for case in file.value.tests:
        try:
            made.append(Scene(case, world(case), watchlist_rows(case)))
        except ValueError as exc:
            raise ValueError(f"test {case.name!r}: {exc}") from exc
    return made


def outcomes(file: File[Any], found: Sequence[Scene]) -> Iterator[Outcome]:
    """Every test of `file`, and for a rule's firing tests every law it is not exempt from."""
    detection: Detection = file.value
    for scene in found:
        answer = played(scene, detection, detection.query)
        failure = answer if isinstance(answer, str) else wrong(answer, scene, detection)
        yield Outcome(scene.case.name, failure)
        if failure or isinstance(answer, str) or not scene.case.fires or not isinstance(detection, Rule):
            continue
        rows = answer.objects()
        for told in retellings(file, scene.sent, rows, late=scene.case.late):
            yield Outcome(f"{scene.case.name} ({told.law})", _broken(told, scene, detection, len(rows)))


def _broken(told: Retold, scene: Scene, rule: Rule, rows: int) -> str | None:
    answer = played(Scene(scene.case, told.sent, [*scene.lists, *told.lists]), rule, rule.query)
    if isinstance(answer, str):
        return answer
    found = len(answer.rows)
    if bool(found) != told.fires:
        return f"law {told.law}: {found} row(s), expected {'some' if told.fires else 'none'} (prove/laws.py)"
    if told.same_rows and found != rows:
        return f"law {told.law}: {found} row(s) instead of {rows} (prove/laws.py)"
    return None


def played(scene: Scene, detection: Detection, query: str) -> QueryAnswer | str:
    """The answer to `query` in a scene, or why the local engine does not carry it out."""
    stage().set(scene.sent, scene.lists, detection.query_period)
    try:
        return stage().ask(query)
    except KqlRefused as exc:
        return f"not carried out: {exc}"


def survivors(file: File[Any], found: Sequence[Scene], mutants: Sequence[Mutant]) -> tuple[list[Mutant], list[Mutant]]:
    """The mutants that every test passes, and those that could not be carried out at all."""
    detection: Detection = file.value
    alive, refused = list(mutants), []
    for scene in found:
        stage().set(scene.sent, scene.lists, detection.query_period)
        still = []
        for mutant in alive:
            try:
                if wrong(stage().ask(mutant.query), scene, detection) is None:
                    still.append(mutant)
            except KqlRefused:
                refused.append(mutant)
        alive = still
    return alive, refused


def wrong(answer: QueryAnswer, scene: Scene, detection: Detection) -> str | None:
    """What is wrong with an answer: too many or few rows, other values, a key or claimed address as an Account."""
    case = scene.case
    if bool(answer.rows) != case.fires:
        shown = f": {answer.objects()[0]}" if answer.rows else ""
        return f"{len(answer.rows)} row(s), expected {'some' if case.fires else 'none'}{shown}"
    if case.rows is not None and len(answer.rows) != case.rows:
        return f"{len(answer.rows)} row(s), expected {case.rows}"
    rows = answer.objects()
    if case.expect and not any(_has(row, case.expect) for row in rows):
        return f"no row has {case.expect}; the first has { {name: rows[0].get(name) for name in case.expect} }"
    return _false_account(rows, scene, detection)


def _has(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(name in row and row[name] == value for name, value in wanted.items())


def _false_account(rows: Sequence[Mapping[str, Any]], scene: Scene, detection: Detection) -> str | None:
    """A key, a machine or a claimed address would become a person in the entity graph."""
    columns = [
        mapping.column_name
        for entity in detection.entity_mappings
        if entity.entity_type in ("Account", "Mailbox")
        for mapping in entity.field_mappings
        if mapping.identifier not in ("UPNSuffix", "NTDomain", "DnsDomain", "AadTenantId")
    ]
    proven, others = set[str](), set[str]()
    for one in scene.sent:
        who = one.body.get("actor") or {}
        address = who.get("email_address") or who.get("unauthenticated_email_address") or ""
        named = {value for key, value in who.items() if key.endswith("_id") or key == "subject"} | {address.lower()}
        named |= {address.lower().partition("@")[0]}
        (proven if who.get("type") == "user_actor" else others).update(str(value) for value in named if value)
    for row in rows:
        for column in columns:
            if str(row.get(column) or "").lower() in others - proven:
                return f"column {column} makes an Account of {row[column]!r}, which is a key, a machine or only claimed"
    return None
