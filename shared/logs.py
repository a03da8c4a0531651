"""Log lines that can be read and counted: a `noun.past_verb` name, then facts; never a key, an address or a body."""

import logging
import re
import traceback
from typing import Any

ROOT = "bridge"
LONGEST_FACT = 500

_SECRET = re.compile(r"sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_\-]{4,}|bearer\s+[A-Za-z0-9._~+/\-]+=*", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>\"(),;:=\[\]{}]+(?:@|%40)[^\s@<>\"(),;:=\[\]{}]+\.[^\s@<>\"(),;:=\[\]{}.]{2,}")


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
    """Text without keys and addresses, in one line.

    The second net under the rule that nothing personal is logged: what comes from outside (an error message, a host's
    reply) may quote a key or an address, or break the line to forge another.
    """
    return _EMAIL.sub("<address>", _SECRET.sub("<key>", text)).replace("\r", "\\r").replace("\n", "\\n")


def safe(value: Any) -> str:
    """A value as one masked word or sentence, at most 500 characters."""
    text = masked(str(value))
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 3] + "..."


class MaskingFilter(logging.Filter):
    """Masks what third-party loggers write, so that the rule also holds for libraries and for DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:  # a library's format and its arguments do not fit: no reason to fail our run
            message = f"a log line of {record.name} that cannot be formatted"
        record.msg, record.args = masked(message), ()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()
            record.exc_text = "\n".join([*(masked(frame) for frame in frames), type(error).__name__])
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = masked(record.exc_text)
        record.stack_info = masked(record.stack_info) if record.stack_info else None
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
