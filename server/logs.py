"""One line of JSON for each event: what happened, where, never to whom."""

import logging
from typing import Any

import asyncpg
import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import ExcInfo

# Of an error of PostgreSQL: its words may quote a whole row.
_NAMES = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
# What these say is about the program; others quote what people typed.
_ABOUT_THE_PROGRAM = (AttributeError, TypeError, NameError, ImportError)


def set_up_logs(level: str) -> None:
    """Events of at least `level` (`INFO`) go to standard output as JSON."""
    structlog.configure(
        processors=[
            # The number of the request that a line belongs to.
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_Traceback(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(),
    )


class _Traceback(ExceptionDictTransformer):
    """Where it happened and what kind of error it was, without local variables and words that hold people's data."""

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        """The error, then what led to it."""
        stacks, problem = super().__call__(exc_info), exc_info[1]
        for stack in stacks:
            stack |= {"exc_value": _harmless(problem), "exc_notes": []}
            problem = problem and (problem.__cause__ or problem.__context__)
        return stacks


def _harmless(problem: BaseException | None) -> str:
    if isinstance(problem, asyncpg.PostgresError):
        return " ".join(found for name in _NAMES if (found := getattr(problem, name, None)))
    return str(problem) if isinstance(problem, _ABOUT_THE_PROGRAM) else ""
