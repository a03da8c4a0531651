"""Log lines that can be read and counted: a `noun.past_verb` name, then facts; never a key, an address or a body."""

import logging
import re
from typing import Any

ROOT = "bridge"

_SECRET = re.compile(r"sk-ant-[A-Za-z0-9]+-[A-Za-z0-9_\-]{4,}|[Bb]earer\s+[A-Za-z0-9._\-]+")
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9.\-]+\.[A-Za-z]{2,}")


def logger(name: str) -> logging.Logger:
    """The logger of one module, below the bridge's own root."""
    return logging.getLogger(f"{ROOT}.{name.removeprefix('shared.')}")


def event(log: logging.Logger, name: str, *, level: int = logging.INFO, **facts: Any) -> None:
    """Write `name key=value ...`; values are numbers, ids and words that are safe to keep."""
    if log.isEnabledFor(level):
        log.log(level, "%s %s", name, " ".join(f"{key}={safe(value)}" for key, value in facts.items()))


def safe(value: Any) -> str:
    """A value as one masked word or sentence, at most 500 characters.

    The second net under the rule that nothing personal is logged: text from outside (an error message, a host's
    reply) may quote a key or an address.
    """
    text = value if isinstance(value, str) else str(value)
    text = _EMAIL.sub("<address>", _SECRET.sub("<key>", text))
    return text if len(text) <= 500 else text[:497] + "..."


class MaskingFilter(logging.Filter):
    """Masks what third-party loggers write, so that the rule also holds for libraries and for DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = safe_long(record.getMessage()), ()
        if record.exc_info and record.exc_info[1] is not None:
            # A traceback ends in the exception's own text, which may quote what was sent.
            record.exc_text = safe_long(logging.Formatter().formatException(record.exc_info))
        return True


def safe_long(text: str) -> str:
    """`safe` without the length limit."""
    return _EMAIL.sub("<address>", _SECRET.sub("<key>", text))


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
