"""The rules of the house: what is public is documented, modules stay small, and no file names a foreign host or a machine's path."""

from __future__ import annotations

import ast
import re
import subprocess
from dataclasses import fields
from pathlib import Path

import click
import pytest

from wtp.cli import main
from wtp.settings import Settings

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for path in (ROOT / "wtp").rglob("*.py") if "versions" not in path.parts)
LONGEST = 400
ALLOWED_HOSTS = re.compile(
    r"://([\w:]+@)?(127\.0\.0\.1|localhost|wtp;|postgres/|redis:|\$host|\[::1\]|host|x/y|b/p|kept|missing|bucket|me:word|evil|e\.co|[\\|)]|www\.w3\.org|user:|[\w.-]*example|file|/|\.\.\.|[\[{%*\"'`)]|$)"
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(work|home|tmp|root)/")


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    return [
        ROOT / name
        for name in listed
        if name and (ROOT / name).is_file() and not name.endswith((".gz", ".png", ".svg"))
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_public_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    missing = [] if ast.get_docstring(tree) else ["the module"]
    for node in tree.body:
        public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if public and not ast.get_docstring(node):
            missing.append(node.name)
        if isinstance(node, ast.ClassDef) and public:
            methods = [n for n in node.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
            known = ("process_bind_param", "process_result_value")  # documented by SQLAlchemy
            missing += [f"{node.name}.{n.name}" for n in methods if not ast.get_docstring(n) and n.name not in known]
    assert not missing


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_no_file_names_a_foreign_host_or_a_machines_path() -> None:
    wrong = []
    for path in _committed():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if path == Path(__file__) or (path.name == "messages.po"):
                continue
            hosts = [m for m in re.finditer("://", line) if not ALLOWED_HOSTS.match(line, m.start())]
            if hosts or MACHINE_PATHS.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not wrong, "\n".join(wrong)


def test_the_readme_names_every_command_and_setting() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in main.list_commands(click.Context(main)):
        assert f"wtp {name}" in text
    for setting in fields(Settings):
        assert f"`{setting.name}`" in text


def test_the_top_level_is_the_house() -> None:
    files = {path.relative_to(ROOT).parts[0] for path in _committed()}
    assert files == {
        ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "benchmarks", "instance", "pyproject.toml",
        "requirements-dev.lock", "requirements.lock", "surveys", "tests", "wtp",
    }  # fmt: skip
