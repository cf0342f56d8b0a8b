"""Finds the app that a worker serves."""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import cast

from perdure.http.asgi_bridge import App


class LoadError(Exception):
    """The app cannot be loaded. `str()` is one line that says what to do."""


def load_app(target: str) -> App:
    """The ASGI app named by `FILE[:APP]` or `module:app`; `APP` is `app` when left out.

    The file's folder (for a module: the current one) is put on `sys.path`, so that its neighbours can be imported.
    A traceback of the user's code, if any of it ran, goes to stderr. Raises: LoadError.
    """
    source, separator, name = target.rpartition(":")
    if not separator or os.sep in name:
        source, name = target, ""
    name = name or "app"
    module = _load_file(source) if _is_file(source) else _load_module(source)
    app = getattr(module, name, None)
    if app is None:
        raise LoadError(f"{source} has no `{name}`: assign the ASGI app to `{name}`, or name it as {source}:NAME")
    if not callable(app):
        raise LoadError(f"`{name}` in {source}, of type {type(app).__name__}, is not an ASGI app: it cannot be called")
    return cast(App, app)


def _is_file(source: str) -> bool:
    return source.endswith(".py") or os.sep in source or os.path.isfile(source)


def _load_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise LoadError(f"{path}: no such file")
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules:
        raise LoadError(f"{path}: a module named {name} is already loaded, rename the file")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path}: not a Python file, its name must end in .py")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    module = importlib.util.module_from_spec(spec)
    # Registered before it runs, as an import does: pickling and forward references look it up by name.
    sys.modules[name] = module
    loader = spec.loader
    _run_user_code(path, lambda: loader.exec_module(module))
    return module


def _load_module(name: str) -> ModuleType:
    sys.path.insert(0, os.getcwd())
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise LoadError(f"{name}: no such file or module")
    _run_user_code(name, lambda: importlib.import_module(name))
    return sys.modules[name]


def _run_user_code(source: str, run: Callable[[], object]) -> None:
    try:
        run()
    except (Exception, SystemExit) as error:
        _print_users_part(error)
        first_line = str(error).partition("\n")[0]
        raise LoadError(f"{source} cannot be imported: {type(error).__name__}: {first_line}") from None


def _print_users_part(error: BaseException) -> None:
    """The traceback without the way to the user's code; nothing when that was never entered, as with bad syntax."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith((__file__, "<frozen importlib", importlib.__file__)):
        trace = trace.tb_next
    if trace:
        traceback.print_exception(error.with_traceback(trace))
