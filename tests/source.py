"""The source of the project as syntax trees, for checks that read code and do not run it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "keywords", "storage", "worker")

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file. ``path`` is relative to the root, with slashes."""

    path: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        """Where a node is, as an editor can open it."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}"

    def calls(self) -> Iterator[ast.Call]:
        """Every call in the file."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def functions(self) -> Iterator[Function]:
        """Every function and method in the file."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return (node for node in ast.walk(self.tree) if isinstance(node, kinds))


def parse(text: str, path: str = "example.py") -> Module:
    """A module from its text."""
    return Module(path, text, ast.parse(text, filename=path))


@cache
def modules(*tops: str) -> tuple[Module, ...]:
    """Every Python file below these folders or files of the project, by path."""
    files = [
        file
        for top in tops
        for file in sorted([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
    ]
    return tuple(
        parse(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix()) for file in files
    )


def dotted(node: ast.AST) -> str:
    """``a.b.c`` for a chain of names, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
