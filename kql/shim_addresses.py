"""Kusto's IPv4 functions as SQL over text."""

from collections.abc import Sequence

_DOTTED = r"(\d{1,3}\.){3}\d{1,3}"
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def is_in_range(args: Sequence[str]) -> str:
    """Whether the address is in the range in prefix notation (a plain address is a /32); null if either is not IPv4."""
    address, range_ = args
    return _shared_prefix(_number(address), _number(range_), _prefix_length(range_))


def is_private(args: Sequence[str]) -> str:
    """Whether the address, or the network in prefix notation, is in RFC 1918; null if it is not IPv4."""
    within = " OR ".join(
        _shared_prefix("_n", _number(f"'{network}'"), _prefix_length(f"'{network}'")) for network in _PRIVATE
    )
    return f"list_transform([{_number(args[0])}], lambda _n: {within})[1]"


def has_address(args: Sequence[str]) -> str:
    """Whether the text contains the address, delimited by non-alphanumeric characters; false if it is not IPv4."""
    text, address = args
    pattern = f"'(^|[^0-9A-Za-z])' || regexp_escape({address}) || '($|[^0-9A-Za-z])'"
    return f"coalesce({_number(address)} IS NOT NULL AND regexp_matches({text}, {pattern}), FALSE)"


def has_any_prefix(args: Sequence[str]) -> str:
    """Whether the text contains an IPv4 address that starts with one of the prefixes (a dynamic list)."""
    text, prefixes = args
    pattern = "'(^|[^0-9A-Za-z.])' || regexp_escape(_p)"
    return (
        f"coalesce(list_bool_or(list_transform(CAST(CAST({prefixes} AS JSON) AS VARCHAR[]), "
        f"lambda _p: regexp_matches({text}, {pattern}))), FALSE)"
    )


def _number(text: str) -> str:
    """The address before any `/` as a BIGINT; null if it is not four numbers of at most 255."""
    octets = "list_transform(str_split(_s, '.'), lambda _o: CAST(_o AS BIGINT))"
    return (
        f"list_transform([split_part(CAST({text} AS VARCHAR), '/', 1)], lambda _s: "
        f"CASE WHEN regexp_full_match(_s, '{_DOTTED}') AND list_max({octets}) < 256 "
        f"THEN list_reduce({octets}, lambda _a, _b: _a * 256 + _b) END)[1]"
    )


def _prefix_length(text: str) -> str:
    """The number after `/`; 32 if there is none, null if it is not from 0 to 32."""
    return (
        f"list_transform([split_part(CAST({text} AS VARCHAR), '/', 2)], lambda _p: "
        f"CASE WHEN _p = '' THEN 32 WHEN TRY_CAST(_p AS INTEGER) BETWEEN 0 AND 32 THEN CAST(_p AS INTEGER) END)[1]"
    )


def _shared_prefix(left: str, right: str, length: str) -> str:
    return f"(({left} >> (32 - {length})) = ({right} >> (32 - {length})))"
