"""Logs that do not repeat themselves: what a handler logs while it is replayed was logged before."""

import logging

from perdure.sdk.extensions import current_context


class RestateLoggingFilter(logging.Filter):
    """Drops records while the handler is replayed, and adds to the others what they belong to.

    A format may use `%(invocation_id)s` and `%(handler)s` (`Service/handler`); both are empty outside of handlers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        context = current_context()
        record.invocation_id = "" if context is None else context.request().id
        record.handler = "" if context is None else str(context.handler)
        return context is None or not context.is_replaying


def getLogger(name: str | None = None) -> logging.Logger:  # as in `logging`
    """The logger of that name, with a `RestateLoggingFilter`: silent while a handler is replayed.

    name: as in `logging.getLogger`; None is the root logger.
    """
    logger = logging.getLogger(name)
    if not any(isinstance(one, RestateLoggingFilter) for one in logger.filters):
        logger.addFilter(RestateLoggingFilter())
    return logger
