"""What is raised when a definition, or a value for a handler, is not right. All are `ValueError`s as well."""

from typing import ClassVar

from perdure.errors import PerdureError


class DefinitionError(PerdureError, ValueError):
    """A service or a handler is not defined in a way that can be served."""

    code: ClassVar[str] = "E0340"
    hint: ClassVar[str] = "Correct the definition."

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} ({self.code}). {self.hint}" if self.hint else f"{message} ({self.code})")


class BadName(DefinitionError):
    """A name that the protocol does not allow."""

    code: ClassVar[str] = "E0341"
    hint: ClassVar[str] = "Give another one with name=…."


class DuplicateName(DefinitionError):
    """Two handlers of a service, or two services of an app, with one name."""

    code: ClassVar[str] = "E0342"
    hint: ClassVar[str] = "Give one of them another name."


class BadHandler(DefinitionError):
    """A function that cannot be a handler."""

    code: ClassVar[str] = "E0343"
    hint: ClassVar[str] = "Write `async def name(ctx, …)`: the context first, then what the handler takes."


class BadHint(DefinitionError):
    """A type hint of a handler that cannot be resolved, or that no value can be converted to."""

    code: ClassVar[str] = "E0344"
    hint: ClassVar[str] = "Define or import the type at the top level of the module, outside of TYPE_CHECKING."


class BadOption(DefinitionError):
    """An option with a value that it cannot have."""

    code: ClassVar[str] = "E0345"
    hint: ClassVar[str] = "Correct the option."


class NotAService(DefinitionError):
    """Something that is not a Service, VirtualObject or Workflow where one is expected."""

    code: ClassVar[str] = "E0346"
    hint: ClassVar[str] = "Pass a list of services: app([my_service])."


class NotAHandler(PerdureError, ValueError):
    """Something that is not a decorated handler where one is expected."""

    code: ClassVar[str] = "E0347"
    hint: ClassVar[str] = (
        "Pass the function that @service.handler() decorated; for others there are generic_call and generic_send."
    )


class BadIdentityKey(DefinitionError):
    """A key in `identity_keys` is not the public key of a server."""

    code: ClassVar[str] = "E0348"
    hint: ClassVar[str] = "Copy the key that the server prints; it starts with `publickeyv1_`."


class ManifestTooOld(DefinitionError):
    """The server asks for a manifest version that cannot say all that is defined."""

    code: ClassVar[str] = "E0349"
    hint: ClassVar[str] = "Use a newer server, or leave the option out."


class BadArgument(PerdureError, ValueError):
    """The argument of a call does not fit the handler that is called."""

    code: ClassVar[str] = "E0350"
    hint: ClassVar[str] = "Several parameters are called with one dict, by their names."


class CannotDecode(PerdureError, ValueError):
    """Bytes that do not hold a value of the wanted type. `str()` says where and why."""

    code: ClassVar[str] = "E0351"
    hint: ClassVar[str] = "Send what the type hint says, or correct the hint."


class CannotEncode(PerdureError, TypeError):
    """A value of a type that has no form in JSON."""

    code: ClassVar[str] = "E0352"
    hint: ClassVar[str] = "Give a dataclass, a TypedDict, a pydantic model, or plain values; or a serde of your own."
