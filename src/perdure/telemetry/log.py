"""Logs: to standard error, for people or as JSON lines."""

import logging
import sys

import structlog


def set_up_logging(level: str, log_format: str) -> None:
    """Also for the logging module, through which some rooms and libraries speak; of libraries only warnings.

    level: `debug`, `info`, `warning` or `error`. log_format: `pretty` or `json`.
    """
    chain: list[structlog.typing.Processor]
    if log_format == "json":
        chain = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        chain = [
            # Plain: a decorated traceback shows local variables, which hold what users send.
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    stamps: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    handler = logging.StreamHandler(sys.stderr)
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=stamps, processors=[without_meta, *chain])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("perdure").setLevel(level.upper())
    structlog.configure(
        processors=[*stamps, *chain],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
