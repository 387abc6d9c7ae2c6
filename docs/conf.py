"""Sphinx configuration."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "clusternas"
author = "The clusternas authors"
project_copyright = "The clusternas authors"
release = version = version_of("clusternas")

extensions = [
    "checks",
    "docstrings",
    "reference",
    "models",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build"]
# Every reference into clusternas must resolve; for Python's and attrs' there is no inventory.
nitpick_ignore_regex = [("py:.*", r"(?!clusternas\b).*")]
# A bare name in an annotation may stand in two modules; the link goes to one of them.
suppress_warnings = ["ref.python"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

toc_object_entries = False  # furo resolves them all again for every page
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"clusternas {release}"
