"""Logs: to standard error, for people or as JSON lines."""

import logging
import sys

import structlog

LEVELS = ("debug", "info", "warning", "error")


def set_up_logging(level: str, log_format: str) -> None:
    """level: one of `LEVELS`. log_format: `pretty` or `json`."""
    chain: list[structlog.typing.Processor]
    if log_format == "json":
        chain = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        chain = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *chain,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
