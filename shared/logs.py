"""Log lines that can be read and counted: a `noun.past_verb` name, then facts; never a key, an address or a body."""

import logging
import re
import traceback
from typing import Any

ROOT = "bridge"
LONGEST_FACT = 500

LONGEST_TEXT = 10_000
"""Characters of a text from outside that are looked at; the rest is cut first."""

_SECRET = re.compile(
    r"sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_\-]{4,}"
    r"|bearer\s+[A-Za-z0-9._~+/\-]+=*"
    r"|(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]+){0,2}"  # a JWT without the word before it
    r"|authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic\s+\S{4,}|\bbasic\s+[A-Za-z0-9+/]{6,}={1,2}"
    r"|(?<![A-Za-z])(?:sig|accountkey|sharedaccesskey|x-functions-key)[\"']?\s{0,3}[=:]\s{0,3}[^\s&;,<>]{6,}"
    r"|(?<![A-Za-z])code=[A-Za-z0-9_\-%]{20,}",
    re.IGNORECASE,
)
_AT = re.compile("@|%40")
_BREAKS = frozenset(' \t\r\n\v\f@<>"(),;:=[]{}\u0085\u00a0\u2028\u2029')
LOCAL_LENGTH, DOMAIN_LENGTH = 200, 255
"""RFC 5321 allows 64 and 255 octets; 64 percent-encoded ones are 192 characters."""
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_CONTROLS |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def logger(name: str) -> logging.Logger:
    """The logger of one module, below the bridge's own root."""
    return logging.getLogger(f"{ROOT}.{name.removeprefix('shared.')}")


def event(log: logging.Logger, name: str, *, level: int = logging.INFO, **facts: Any) -> None:
    """Write `name key=value ...`; values are numbers, ids and words that are safe to keep.

    The facts are attributes of the record as well (`bridge.rows`), so that Application Insights can query them: numbers
    as numbers, everything else as masked text.
    """
    if log.isEnabledFor(level):
        safely = {key: value if isinstance(value, int | float) else safe(value) for key, value in facts.items()}
        text = " ".join(f"{key}={value}" for key, value in safely.items())
        attributes = {f"{ROOT}.{key}": value for key, value in safely.items()}
        log.log(level, "%s %s", name, text, extra={f"{ROOT}.event": name, **attributes})


def defect(log: logging.Logger, name: str, error: BaseException, **facts: Any) -> None:
    """Write where an unforeseen error came from: its class and the frames, not its text, which may quote a row."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " > ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-6:])
    event(log, name, level=logging.ERROR, **facts, error=type(error).__name__, at=where)


def masked(text: str) -> str:
    """Text without keys, tokens, signatures and addresses, in one line without control characters; in linear time.

    The second net under the rule that nothing personal is logged: what comes from outside (an error message, a host's
    reply) may quote a key or an address, or break the line to forge another.
    """
    return _without_addresses(_SECRET.sub("<key>", text)).translate(_CONTROLS)


def _without_addresses(text: str) -> str:
    """Each `@` is looked at once, with at most LOCAL_LENGTH characters before and DOMAIN_LENGTH after it."""
    parts, end = list[str](), 0
    for at in _AT.finditer(text):
        start = at.start()
        if start < end:
            continue
        first = start
        while first > max(end, start - LOCAL_LENGTH) and text[first - 1] not in _BREAKS:
            first -= 1
        last = at.end()
        while last < min(len(text), at.end() + DOMAIN_LENGTH) and text[last] not in _BREAKS:
            last += 1
        labels = text[at.end() : last].split(".")
        while labels and len(labels[-1]) < 2:
            labels.pop()
        if first < start and len(labels) > 1 and any(labels[:-1]):
            parts += (text[end:first], "<address>")
            end = at.end() + len(".".join(labels))
    return "".join([*parts, text[end:]])


def cut(text: str) -> str:
    """At most LONGEST_TEXT characters, without the word that the cut would split: half an address is not masked."""
    if len(text) <= LONGEST_TEXT:
        return text
    head = text[:LONGEST_TEXT]
    edge = max(head.rfind(" "), LONGEST_TEXT - LOCAL_LENGTH - DOMAIN_LENGTH)
    return head[:edge] + "..."


def safe(value: Any) -> str:
    """A value as one masked word or sentence, at most 500 characters."""
    text = masked(cut(str(value)))
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 3] + "..."


class MaskingFilter(logging.Filter):
    """Masks what third-party loggers write, so that the rule also holds for libraries and for DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # a library's format and its arguments do not fit: no reason to fail our run
            message = f"a log line of {record.name} that cannot be formatted"
        record.msg, record.args = masked(cut(message)), ()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()
            record.exc_text = "\n".join([*(masked(cut(frame)) for frame in frames), type(error).__name__])
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = masked(cut(record.exc_text))
        record.stack_info = masked(cut(record.stack_info)) if record.stack_info else None
        return True


def configure(level: str = "INFO", handler: logging.Handler | None = None) -> None:
    """Send every logger through one masked handler; the Azure SDK's per-request lines only from WARNING."""
    handler = handler or logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.addFilter(MaskingFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("azure", "httpx", "httpcore", "msal", "aiohttp", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
