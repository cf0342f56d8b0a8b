"""The handlers of `bench_app.py` on Perdure's own SDK: the same text with another import."""

from pathlib import Path

_THEIRS = "import restate\nfrom restate import "
_OURS = "import perdure as restate\nfrom perdure import "

_path = Path(__file__).with_name("bench_app.py")
_text = _path.read_text(encoding="utf-8")
assert _THEIRS in _text, "the import of bench_app.py has another form now"
exec(compile(_text.replace(_THEIRS, _OURS), str(_path), "exec"))
