"""The Python reference: docstrings, in the form that `scripts/docstrings.py` reads, as reStructuredText for autodoc."""

import builtins
import importlib
import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

from docstrings import Docstring, names_of, parameters_of, parse, public_names

ERRORS_PAGE = "docs/reference/errors"
_CODE = re.compile(r"\b((?:E|RT)\d{4})\b")
_SPECIAL = re.compile(r"([\\*|`]|(?<=\w)_(?!\w))")
_DEFAULT_OBJECT = re.compile(r"<(?:perdure\.[\w.]*\.(\w+)|object) object>")
_TYPE_VARIABLES = ("P",)
_REFERS = re.compile(r"\b(?:[Aa]s|for|in|of|see|what) \Z")
_LABELS = {"Returns": "returns", "Yields": "yields", "Raises, when awaited": "Awaiting raises"}


PUBLIC = public_names()
_BY_TEXT = {path.split(".", 1)[1].rpartition(".")[2]: path for path in PUBLIC}
_BY_TEXT |= {
    f"{path.rpartition('.')[2]}.{member}": f"{path}.{member}"
    for path, thing in PUBLIC.items()
    if isinstance(thing, type)
    for member in dir(thing)
    if not member.startswith("_")
}
_CANONICAL = {
    f"{thing.__module__}.{thing.__qualname__}": path
    for path, thing in PUBLIC.items()
    if thing.__module__.startswith("perdure.")
}


def inline(text: str, owner: str) -> str:
    """Text with `code` in it; names that the reference has, exceptions and codes become links.

    owner: the class whose members need no more than their names behind words like those in "as for `close`".
    """
    parts = re.split(r"`([^`]+)`", text)
    links = ""
    for before, code in zip(parts[::2], [*parts[1::2], None], strict=True):
        links += _words(before)
        if code is not None:
            links += _code(code, owner if _REFERS.search(before) else "")
    return links


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _code(text: str, owner: str) -> str:
    name = text.removesuffix("()").removeprefix("perdure.")
    target = _BY_TEXT.get(name) or _BY_TEXT.get(f"{owner}.{name}")
    return rf"\ :py:obj:`{text} <{target}>`\ " if target else rf"\ ``{text}``\ "


def _words(text: str) -> str:
    def linked(match: re.Match[str]) -> str:
        target = _BY_TEXT.get(match[0])
        thing = PUBLIC.get(target or "")
        is_error = isinstance(thing, type) and issubclass(thing, BaseException)
        return rf"\ :py:exc:`{match[0]} <{target}>`\ " if is_error else match[0]

    return _CODE.sub(r"\\ :error-code:`\1`\\ ", re.sub(r"\b[A-Z][a-z]\w+", linked, _escaped(text)))


def rendered(doc: Docstring, has_parameter: set[str], owner: str) -> list[str]:
    lines: list[str] = []
    for block in doc.blocks:
        if block.startswith("    "):
            lines += [".. code-block:: python", "", *block.splitlines(), ""]
        else:
            lines += [inline(block, owner), ""]
    for name, text in doc.fields.items():
        kind = "param" if name in has_parameter else "ivar"
        lines.append(f":{kind} {_escaped(name)}: {inline(text, owner)}")
    for label, text in doc.sections.items():
        lines.append(f":{_LABELS.get(label, label)}: {inline(text, owner)}")
    return [*lines, ""]


def _render(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    owner = name if isinstance(thing, type) else name.rpartition(".")[0]
    doc = parse("\n".join(lines), names_of(thing))
    lines[:] = rendered(doc, parameters_of(thing), owner.rpartition(".")[2])


def _signature(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str | None, result: str | None
) -> tuple[str, str | None] | None:
    """Defaults as people write them; none of classes that users get and do not make: nothing says what it means."""
    if not signature:
        return None
    readable = _DEFAULT_OBJECT.sub(lambda match: f"{match[1]}()" if match[1] else "...", signature)
    if not isinstance(thing, type):
        return readable, result
    init = thing.__init__
    told = f"{inspect.getdoc(thing) or ''}\n\n{inspect.getdoc(init) or ''}" if inspect.isfunction(init) else ""
    fields = parse(told, names_of(thing)).fields
    wanted = parameters_of(thing)
    return (readable, result) if wanted and wanted <= fields.keys() else ("", None)


def _error_code(
    role: str, raw: str, code: str, line: int, inliner: Any, options: Any = None, content: Any = ()
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """A link to where an error's code is explained."""
    env: BuildEnvironment = inliner.document.settings.env
    source = (env.srcdir / f"{ERRORS_PAGE}.md").read_text("utf-8")
    heading = re.search(rf"^#+ ({code}: .+)$", source, re.MULTILINE)
    if heading is None:
        return [], [inliner.reporter.error(f"{ERRORS_PAGE} does not explain {code}", line=line)]
    slug = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
    link = pending_xref(
        raw,
        refdomain="doc",
        reftype="myst",
        reftarget=ERRORS_PAGE,
        reftargetid=slug,
        refdoc=env.docname,
        refexplicit=True,
        refwarn=True,
    )
    link += nodes.inline(code, code, classes=["xref", "myst"])
    return [link], []


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Node | None:
    """Names in signatures: ours where they are documented, those of others as text; what does not exist is refused."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    objects = env.get_domain("py").objects  # type: ignore[attr-defined]
    entry = objects.get(_CANONICAL.get(target, ""))
    if entry is not None:
        return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, target)
    return content if target in _TYPE_VARIABLES or _exists(target) else None


def _exists(target: str) -> bool:
    parts = target.split(".")
    for at in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:at]))
        except ImportError:
            continue
        for name in parts[at:]:
            if not hasattr(thing, name):
                return False
            thing = getattr(thing, name)
        return True
    return hasattr(builtins, target)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("error-code", _error_code)
    app.connect("autodoc-process-docstring", _render)
    app.connect("autodoc-process-signature", _signature)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
