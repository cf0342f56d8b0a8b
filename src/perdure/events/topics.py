"""What a client may follow: `invocations?status=running`, `invocation:inv_…`, `registry`, `state:Service/key`."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

import msgspec

from perdure.events.filters import InvocationFilter, parse_filter
from perdure.events.problems import BadTopic
from perdure.ids import BadId, decode_invocation_id

TOPICS_MAX: Final = 16


class ListTopic(msgspec.Struct, frozen=True):
    """The invocations that a filter lets through."""

    filter: InvocationFilter


class InvocationTopic(msgspec.Struct, frozen=True):
    """One invocation with its journal."""

    id: str


class RegistryTopic(msgspec.Struct, frozen=True):
    """Deployments and services."""


class StateTopic(msgspec.Struct, frozen=True):
    """The state of one object or workflow."""

    service: str
    key: str


Topic = ListTopic | InvocationTopic | RegistryTopic | StateTopic


def parse_topics(parameters: Iterable[str]) -> tuple[Topic, ...]:
    """parameters: what was given as `topics`, percent-decoded once. Raises: BadTopic."""
    texts = [text for parameter in parameters for text in parameter.split(",") if text]
    if not texts:
        raise BadTopic("no topic is given; for example `?topics=invocations`")
    if len(texts) > TOPICS_MAX:
        raise BadTopic(f"{len(texts)} topics are given, more than {TOPICS_MAX}")
    return tuple(map(_parse, texts))


def _parse(text: str) -> Topic:
    name, _, rest = text.partition("?")
    if name == "invocations":
        return ListTopic(parse_filter(rest))
    if text == "registry":
        return RegistryTopic()
    kind, _, what = text.partition(":")
    if kind == "invocation":
        try:
            decode_invocation_id(what)
        except BadId as error:
            raise BadTopic(f"`{what}` is not an invocation id: {error}") from None
        return InvocationTopic(what)
    service, slash, key = what.partition("/")
    if kind == "state" and service and slash:
        return StateTopic(service, unquote(key))
    shown = "`invocations`, `invocations?FILTER`, `invocation:ID`, `registry`, `state:SERVICE/KEY`"
    raise BadTopic(f"there is no topic `{text}`; there are {shown}")
