"""One line of JSON for each event: what happened, where, never to whom."""

import logging

import structlog


def set_up_logs(level: str) -> None:
    """Events of at least `level` (`INFO`) go to standard output as JSON."""
    structlog.configure(
        processors=[
            # The number of the request that a line belongs to.
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Tracebacks without local variables: those hold what people typed.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(),
    )
