"""The house keeps its own rules: what a reader finds where, and who may know whom."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.engine import functions
from bridge.engine.function import Function

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "bridge"
GENERATED = HOUSE / "remote/proto"
LONGEST_FILE = 400  # lines
LONGEST_FUNCTION = 60  # lines, docstring included; a grammar's parser is exempt
# Of storage: what a Querier is, and how much memory may be held.
ENGINE_MAY_KNOW = (
    *("engine", "kernel", "model", "promql", "telemetry"),
    *(
        "storage.interface",
        "storage.warranty",
        "storage.allowance",
        "storage.pool",
        "storage.watch",
    ),
)


def modules(below: str = "") -> list[Path]:
    files = sorted((HOUSE / below).rglob("*.py"))
    return [path for path in files if not path.is_relative_to(GENERATED)]


def named(path: Path) -> str:
    return str(path.relative_to(HOUSE))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_module_opens_with_one_sentence(path: Path) -> None:
    text = ast.get_docstring(tree(path))
    assert text, "has no docstring"
    first = text.split("\n\n")[0]
    assert first.endswith((".", "?")), f"the first paragraph is no sentence: {first!r}"


def test_a_file_is_read_in_one_sitting() -> None:
    others = [path for name in ("tests", "benchmarks") for path in (ROOT / name).rglob("*.py")]
    counted = {path: len(path.read_text().splitlines()) for path in [*modules(), *others]}
    long = {str(path.relative_to(ROOT)) for path, lines in counted.items() if lines > LONGEST_FILE}
    assert not long


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_function_fits_a_page(path: Path) -> None:
    if path.is_relative_to(HOUSE / "promql"):
        return
    long = [f"{name}: {lines}" for name, lines in _lengths(tree(path)) if lines > LONGEST_FUNCTION]
    assert not long


@pytest.mark.parametrize("path", modules("engine"), ids=named)
def test_the_engine_knows_no_cache_and_no_remote(path: Path) -> None:
    strangers = [name for name in _imported(tree(path)) if not _is_known(name)]
    assert not strangers


@pytest.mark.parametrize("path", modules("engine"), ids=named)
def test_no_functions_name_selects_behaviour(path: Path) -> None:
    if path.is_relative_to(HOUSE / "engine/functions"):
        return
    names = _function_names()
    found = [
        f"line {node.lineno}: {node.value!r}"
        for node in _selecting_constants(tree(path))
        if node.value in names
    ]
    assert not found


def test_the_registry_holds_prometheus_functions() -> None:
    assert {"rate", "histogram_quantile", "label_replace", "absent", "time"} <= _function_names()


def test_selecting_constants_are_found() -> None:
    source = """
'docstring: rate'
if name == "rate" or name in ("irate", "delta"): pass
table = {"increase": 1}
match name:
    case "resets": pass
print("idelta")
"""
    found = {node.value for node in _selecting_constants(ast.parse(source))}
    assert found == {"rate", "irate", "delta", "increase", "resets"}


def _function_names() -> frozenset[str]:
    """The names of every Function record that a module of `engine/functions` holds."""
    parts = pkgutil.iter_modules(functions.__path__, f"{functions.__name__}.")
    held = [value for part in parts for value in vars(importlib.import_module(part.name)).values()]
    return frozenset(value.name for value in held if isinstance(value, Function))


def _selecting_constants(module: ast.Module) -> Iterator[ast.Constant]:
    """The strings that a comparison, a match arm or a table's key consists of."""
    for node in ast.walk(module):
        match node:
            case ast.Compare():
                roots: list[ast.AST] = [node]
            case ast.MatchValue():
                roots = [node.value]
            case ast.Dict():
                roots = [key for key in node.keys if key is not None]
            case ast.Subscript():
                roots = [node.slice]
            case _:
                continue
        for root in roots:
            for leaf in ast.walk(root):
                if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str):
                    yield leaf


def _lengths(module: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def _imported(module: ast.Module) -> Iterator[str]:
    """The modules of the house that are imported, without the `bridge.` in front."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix("bridge.") for name in names if name.startswith("bridge."))


def _is_known(name: str) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in ENGINE_MAY_KNOW)
