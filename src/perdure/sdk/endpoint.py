"""What an app serves and how: `app([...])`, or the builder `endpoint()` for the same in steps."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from perdure.sdk.codec import JournalValueCodec, JournalValueCodecProvider
from perdure.sdk.definition_errors import BadOption, DuplicateName, NotAService
from perdure.sdk.definitions import HandlerDefinition, ServiceDefinition
from perdure.sdk.discovery import ProtocolMode
from perdure.sdk.services import Service, VirtualObject, Workflow

if TYPE_CHECKING:
    from perdure.sdk.asgi import AsgiApp

AnyService: TypeAlias = Service | VirtualObject | Workflow

_MODES: dict[str, ProtocolMode] = {"bidi": "BIDI_STREAM", "request_response": "REQUEST_RESPONSE"}


class Endpoint:
    """Services, and how they are served, in steps: `endpoint().bind(greeter).app()`. `app([greeter])` does the same.

    services: by name.  protocol, identity_keys, journal_value_codec: as for `app`.
    """

    def __init__(self) -> None:
        self.services: dict[str, ServiceDefinition] = {}
        self.protocol: Literal["bidi", "request_response"] | None = None
        self.identity_keys: list[str] = []
        self.journal_value_codec: JournalValueCodec | JournalValueCodecProvider | None = None

    def bind(self, *services: AnyService) -> "Endpoint":
        """Adds services. Raises: NotAService (E0346), DuplicateName (E0342), BadHint (E0344), BadHandler (E0343)."""
        for service in services:
            definition = getattr(service, "definition", None)
            if not isinstance(definition, ServiceDefinition):
                raise NotAService(f"{service!r} is not a service")
            if definition.name in self.services:
                raise DuplicateName(f"two services have the name {definition.name}")
            for handler in definition.handlers.values():
                assert handler.binding is not None  # resolves the hints now, where the user sees what is wrong
            self.services[definition.name] = definition
        return self

    def streaming_protocol(self) -> "Endpoint":
        """Announces that request and response flow at the same time, whatever the server's discovery came over."""
        self.protocol = "bidi"
        return self

    def request_response_protocol(self) -> "Endpoint":
        """Announces that a response begins when the request is complete, whatever the server's discovery came over."""
        self.protocol = "request_response"
        return self

    def identity_key(self, identity_key: str) -> None:
        """Answers only servers with this public key, `publickeyv1_…`, or with another one that was added.

        `app` says whether it is one.
        """
        self.identity_keys.append(identity_key)

    def set_journal_value_codec(self, codec_or_provider: JournalValueCodec | JournalValueCodecProvider) -> "Endpoint":
        """Sets what changes the bytes of every value on its way to the journal and back, or what makes it."""
        self.journal_value_codec = codec_or_provider
        return self

    def handler(self, service: str, handler: str) -> HandlerDefinition[Any, Any] | None:
        """One handler by the names of service and handler; None if there is none."""
        found = self.services.get(service)
        return None if found is None else found.handlers.get(handler)

    def mode(self, streams: bool) -> ProtocolMode:
        """What the manifest announces. streams: the transport of the discovery lets both directions flow at once."""
        return _MODES[self.protocol or ("bidi" if streams else "request_response")]

    def app(self) -> "AsgiApp | Any":
        """An ASGI app; where AWS Lambda runs it, a Lambda handler. Raises: BadIdentityKey (E0348)."""
        from perdure.sdk.asgi import AsgiApp
        from perdure.sdk.aws_lambda import is_running_on_lambda, wrap_asgi_as_lambda_handler

        made = AsgiApp(self)
        return wrap_asgi_as_lambda_handler(made) if is_running_on_lambda() else made


def endpoint() -> Endpoint:
    """An endpoint without services yet: `endpoint().bind(greeter, counter).app()`."""
    return Endpoint()


def app(
    services: Iterable[AnyService],
    protocol: Literal["bidi", "request_response"] | None = None,
    identity_keys: list[str] | None = None,
    journal_value_codec: JournalValueCodec | JournalValueCodecProvider | None = None,
) -> "AsgiApp | Any":
    """An ASGI app (an `AsgiApp`) that serves the services; where AWS Lambda runs it, a Lambda handler.

    Run it with `perdure dev module.py`, with `app.serve(port)`, or under any ASGI server.

        app = perdure.app([greeter, counter])

    services: what it serves; names are unique.
    protocol: `bidi`: request and response flow at the same time; `request_response`: one after the other; None: at the
    same time if the server's discovery comes over HTTP/2.
    identity_keys: public keys of servers, `publickeyv1_…`; requests of others get status 401. None: all are answered.
    journal_value_codec: changes the bytes of every value on its way to the journal and back, or makes what does.

    Raises: NotAService (E0346), DuplicateName (E0342), BadHint (E0344), BadHandler (E0343), BadIdentityKey (E0348),
    BadOption (E0345).
    """
    if protocol not in (None, "bidi", "request_response"):
        raise BadOption(f"protocol is `bidi` or `request_response`, not {protocol!r}")
    if isinstance(services, Service | VirtualObject | Workflow) or not isinstance(services, Iterable):
        raise NotAService(f"{services!r} is not a list of services")
    built = Endpoint().bind(*services)
    built.protocol = protocol
    for key in identity_keys or ():
        built.identity_key(key)
    built.journal_value_codec = journal_value_codec
    return built.app()
