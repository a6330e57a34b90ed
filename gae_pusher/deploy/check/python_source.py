"""What a Python file defines, as far as it can be read without running it."""

from __future__ import annotations

import ast

__all__ = ["has_app"]


def has_app(text: str) -> bool:
    """Whether a module has a WSGI object `app`; True when that cannot be told from the text."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return True
    return any(_binds_app(node) for node in ast.walk(tree))


def _binds_app(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="app", ctx=ast.Store()):
            return True
        case ast.FunctionDef(name="app") | ast.ClassDef(name="app"):
            return True
        case ast.alias(name=name, asname=alias):
            return (alias or name) in ("app", "*")
        case _:
            return False
