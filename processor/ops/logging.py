"""Logs: one JSON object per line on standard error, for our own lines and for those of libraries.

Nobody's words get out. A guard withholds the fields that could hold them, and every value that is no plain number or
string; and of an exception only those texts are written that are known to be about our services, not about data. A
module logs with the standard library: `logging.getLogger(__name__).warning("lane lost", extra={"partition": 3})`.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from processor.errors import ChatguardError

WITHHELD = "withheld"
PERSONAL = frozenset({"content", "text", "texts", "value", "message", "body", "title", "user", "key", "headers"}) | {
    f"{who}_id" for who in ("sender", "receiver", "recipient", "conversation", "message", "user")
}
_TRUSTED = (ChatguardError, OSError)  # TimeoutError and ConnectionError are OSErrors
_TRUSTED_PACKAGES = ("aiokafka", "redis")  # their texts name hosts, topics and groups

Event = MutableMapping[str, Any]
Format = Literal["json", "console"]


def configure(level: str, format: Format, *, stream: TextIO | None = None) -> None:  # noqa: A002  its name in the settings
    """Write the logs of this process to `stream`, standard error by default; replaces what was set before.

    Our own lines from `level` on, libraries' from warnings on.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter(format, colors=handler.stream.isatty()))
    threshold = logging.getLevelNamesMapping()[level.upper()]
    logging.root.handlers = [handler]
    logging.root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger("processor").setLevel(threshold)
    logging.raiseExceptions = False  # a line that cannot be written would be dumped with all its arguments
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def formatter(format: Format, *, colors: bool = False) -> logging.Formatter:  # noqa: A002
    """What makes a line of a log record."""
    last: Processor = structlog.dev.ConsoleRenderer(colors=colors)
    if format == "json":
        last = structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _first_line],
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            explain,
            guard,
            last,
        ],
    )


def guard(_logger: Any, _method: str, event: Event) -> Event:
    """Withhold what could be a person's words or identity, and put what a reader looks for first in front."""
    front = {name: event[name] for name in ("timestamp", "level", "logger", "event") if name in event}
    return {name: WITHHELD if name in PERSONAL else _plain(value) for name, value in (front | {**event}).items()}


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {str(name): WITHHELD if name in PERSONAL else _plain(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(inner) for inner in value]
        case BaseException():
            return _named(value)
        case _:
            return f"<{type(value).__name__}>"


def explain(_logger: Any, _method: str, event: Event) -> Event:
    """An exception with its causes, as types and the texts that may be told, and the way to it, outermost first."""
    raised = event.pop("exc_info", None)
    if isinstance(raised, tuple):
        raised = raised[1]
    elif raised and not isinstance(raised, BaseException):
        raised = sys.exc_info()[1]
    if raised is not None:
        event["error"] = [_named(error) for error in _chain(raised)]
        event["where"] = [
            f"{frame.f_code.co_filename.rpartition('site-packages/')[2]}:{line}"
            for frame, line in traceback.walk_tb(raised.__traceback__)
        ]
    return event


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        yield following
        seen.add(id(following))
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _named(error: BaseException) -> str:
    """The type, and the text if it cannot quote a message."""
    name = type(error).__name__
    trusted = isinstance(error, _TRUSTED) or type(error).__module__.partition(".")[0] in _TRUSTED_PACKAGES
    return f"{name}: {error}" if trusted else f"{name} (text {WITHHELD})"


def _first_line(_logger: Any, _method: str, event: Event) -> Event:
    """What follows the first line of a library's message may be a dump; asyncio's holds the repr of exceptions."""
    event["event"] = str(event.get("event", "")).partition("\n")[0]
    return event
