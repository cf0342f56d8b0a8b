"""Why somebody cannot follow along."""

from typing import ClassVar

from perdure.errors import PerdureError


class BadTopic(PerdureError):
    """A topic that there is not, or a filter that cannot be read."""

    code: ClassVar[str] = "E0601"
    hint: ClassVar[str] = "The topics and their filters are described in docs/reference/events.md."


class TooManyFollowers(PerdureError):
    """As many clients as there may be follow already."""

    code: ClassVar[str] = "E0602"
    hint: ClassVar[str] = "Close a page or a `watch` that nobody needs, and follow several topics in one request."
