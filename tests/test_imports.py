"""Who may import whom: the table that keeps statistics free of the web, and the store free of statistics."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "wtp"
STATISTICS = {"numpy", "pandas", "scipy", "statsmodels"}
FLASK = {
    "flask",
    "flask_babel",
    "flask_limiter",
    "jinja2",
    "flask_login",
    "flask_wtf",
    "limits",
    "wtforms",
    "werkzeug",
    "babel",
    "markupsafe",
}
# package -> (packages of ours, packages of others)
TABLE: dict[str, tuple[set[str], set[str]]] = {
    "__init__": (set(), set()),
    "errors": (set(), set()),
    "settings": ({"errors"}, set()),
    "disk": (set(), set()),
    "deploy": ({"__init__", "errors", "settings"}, {"jinja2"}),
    "doctor": ({"__init__", "errors", "settings", "disk", "survey", "store", "jobs"}, {"sqlalchemy"}),
    "survey": ({"errors"}, {"pydantic", "pydantic_core", "tomlkit"}),
    "estimation": ({"errors", "survey"}, STATISTICS | {"formulaic", "numba", "threadpoolctl", "joblib"}),
    "pricing": ({"errors", "survey", "estimation"}, STATISTICS | {"numba"}),
    "segments": ({"errors", "survey", "estimation", "pricing"}, STATISTICS),
    "customers": ({"errors", "survey"}, STATISTICS),
    "quality": ({"errors", "survey", "estimation"}, STATISTICS),
    "design": ({"errors", "survey", "estimation"}, {"numpy", "scipy", "numba"}),
    "store": ({"errors", "survey"}, {"sqlalchemy", "alembic", "argon2", "fsspec", "pyotp", "limits", "psycopg"}),
    "imports": ({"errors", "survey"}, {"numpy", "pandas", "openpyxl", "pydantic", "tomlkit"}),
    "analysis": (
        {"errors", "survey", "estimation", "pricing", "segments", "customers", "quality"},
        {"numpy", "pandas", "statsmodels"},
    ),
    "jobs": ({"__init__", "errors", "survey", "analysis", "store"}, {"sqlalchemy", "huey"}),
    "charts": (set(), {"plotly", "pandas"}),
    "export": (
        {"errors", "survey", "analysis"},
        {
            "numpy",
            "pandas",
            "pyarrow",
            "pyreadstat",
            "xlsxwriter",
            "pydantic",
            "pptx",
            "lxml",
            "jinja2",
            "weasyprint",
            "kaleido",
        },
    ),
    "web": (
        {
            "__init__",
            "errors",
            "settings",
            "disk",
            "survey",
            "design",
            "store",
            "analysis",
            "jobs",
            "charts",
            "export",
            "imports",
        },
        FLASK
        | {
            "waitress",
            "bs4",
            "numpy",
            "pandas",
            "plotly",
            "sqlalchemy",
            "hatchling",
            "itsdangerous",
            "markdown_it",
            "prometheus_client",
            "pydantic",
            "segno",
        },
    ),
    "cli": (
        {
            "__init__",
            "errors",
            "settings",
            "survey",
            "design",
            "store",
            "analysis",
            "export",
            "imports",
            "estimation",
            "quality",
            "jobs",
            "customers",
            "web",
            "doctor",
            "deploy",
        },
        {"click", "numpy", "pandas", "sqlalchemy"},
    ),
}


def _modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "versions" not in path.parts)


def _imports(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "wtp":
                found += [f"wtp.{alias.name}" for alias in node.names]
            else:
                found.append(node.module or "")
    return found


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_package_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    ours, others = TABLE[package]
    for name in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        top, _, rest = name.partition(".")
        if top == "wtp":
            inner = rest.split(".")[0]
            inner = inner if (ROOT / inner).is_dir() or (ROOT / f"{inner}.py").exists() else "__init__"
            assert inner == package or inner in ours, f"{package} may not import wtp.{inner}"
        elif top not in sys.stdlib_module_names:
            assert top in others, f"{package} may not import {top}"


def test_every_package_is_in_the_table() -> None:
    there = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert there | {"__init__", "errors", "settings", "disk"} == set(TABLE)


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_hides_in_a_function(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not _imports(node), f"{node.name} imports inside"


def test_the_command_line_starts_the_web_through_its_front_door() -> None:
    for path in (ROOT / "cli").glob("*.py"):
        inner = [name for name in _imports(ast.parse(path.read_text(encoding="utf-8"))) if name.startswith("wtp.web.")]
        assert not inner, f"{path.name} imports {inner}"
