"""Where a JSON value names a person, and how it looks without them. Pure.

Addresses are found by their form, names by the field they stand in. What only looks a little like an address (a time, a
fingerprint, a resource name, `package@1.2.3`) stays: it names nobody, and an analyst needs it.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

Pseudonym = Callable[[str], str]

NAMES = frozenset({"user_agent", "full_name", "github_username", "subject"})
"""Fields whose value is a person's name or device, whatever it looks like. E-mail fields are found by their ending."""
_EMAIL_ENDINGS = ("email", "emails", "email_address")
_CHANGE_VALUES = frozenset({"old", "new", "previous_value", "current_value"})

_HOST = r"(?:[^\s@<>\"(),;:=\[\]{}/?&#|%]+\.)+(?:xn--[a-z0-9\-]+|[^\W\d_]{2,})"
_IN_TEXT = re.compile(rf"[^\s@<>\"(),;:=\[\]{{}}/?&|\\]+(?:@|%40){_HOST}", re.IGNORECASE)
_ALONE = re.compile(rf"(?:\"[^\"]+\"|[^\s:@\"<>(),;\[\]]+)@(?:{_HOST}|\[[^\]\s]+\])", re.IGNORECASE)
_V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.:]*")


def names_somebody(field: str) -> bool:
    """Whether the value of a field of this name is hidden whatever it is."""
    return field in NAMES or field.lower().endswith(_EMAIL_ENDINGS)


def without_people(value: Any, pseudonym: Pseudonym, field: str = "") -> Any:
    """A JSON value with every address in it, and every field known to name a person, replaced by its pseudonym."""
    if isinstance(value, str):
        return pseudonym(value) if value and names_somebody(field) else hidden(value, pseudonym)
    if isinstance(value, dict):
        change = next((str(value[key]) for key in ("type", "name") if key in value), "")
        return {
            hidden(key, pseudonym): without_people(item, pseudonym, change if key in _CHANGE_VALUES else key)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [without_people(item, pseudonym, field) for item in value]
    return value


def named(value: Any, field: str = "") -> set[str]:
    """Every text that stands in a field known to name a person: a column may show a copy of it."""
    if isinstance(value, str):
        return {value} if value and names_somebody(field) else set()
    if isinstance(value, dict):
        return {text for key, item in value.items() for text in named(item, key)}
    if isinstance(value, list):
        return {text for item in value for text in named(item, field)}
    return set()


def hidden(text: str, pseudonym: Pseudonym) -> str:
    """Text with the addresses in it replaced."""
    if "@" in text or "%40" in text:
        if _ALONE.fullmatch(text):
            return pseudonym(text)
        text = _IN_TEXT.sub(lambda found: pseudonym(found[0]), text)
    if "." in text:
        text = _V4.sub(lambda found: _hidden_address(found[0], pseudonym), text)
    if ":" in text:
        text = _V6.sub(lambda found: _hidden_address(found[0], pseudonym), text)
    return text


def spelled_alike(text: str) -> str:
    """One spelling per person: letter case and percent-encoding make nobody somebody else."""
    return unquote(text).casefold()


def _hidden_address(found: str, pseudonym: Pseudonym) -> str:
    """The candidate's pseudonym when it is an address; what follows it (a full stop, a colon) stays."""
    for end in range(len(found), 1, -1):
        candidate = found[:end]
        if candidate[-1] in ".:" and not candidate.endswith("::"):
            continue
        try:
            ipaddress.ip_address(candidate)
        except ValueError:
            return found
        return pseudonym(candidate) + found[end:] if candidate.strip(":") else found
    return found
