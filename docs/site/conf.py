"""How `make docs` builds the site. Pages are found by their folder; nothing has to be added here for a new one.

The sources are those of the repository, so that a link works here as it does on a code host: pages of docs/, the
READMEs of examples and benchmarks, and any other file that a page links to, which is given as a download.
"""

import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "scripts"), str(ROOT / "src")]

import perdure  # noqa: E402

project = "Perdure"
author = "The Perdure authors"
copyright = author
version = release = perdure.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "navigation", "reference"]
include_patterns = ["docs/**.md", "examples/*/README.md", "benchmarks/*.md"]
# Folders that are not looked into at all.
exclude_patterns = [".*", "build", "changelog.d", "docs/site", "src", "tests", "**/node_modules", "**/__pycache__"]
root_doc = "docs/index"
nitpicky = True
smartquotes_action = "D"  # dashes only

myst_heading_anchors = 4

autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
add_module_names = False
python_use_unqualified_type_names = True
maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"Perdure {version}"
html_favicon = str(ROOT / "src" / "perdure" / "ui" / "static" / "icon.svg")
html_static_path = ["static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "to-start.html"}
templates_path = ["templates"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
# The address of the repository is not written anywhere yet, so there is nothing to edit a page with.
html_theme_options = {"top_of_page_buttons": []}


def setup(app: Sphinx) -> None:
    # Code hosts draw these; what draws them in a page comes from the network, and they can be read as they are.
    app.add_lexer("mermaid", TextLexer)
