"""YAML text as a tree that remembers on which line everything stands."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.config.errors import ConfigError, Problem
from bridge.config.scanner import Loader
from bridge.config.urls import shown_key

Location = tuple[str | int, ...]

# Aliases may multiply: a document of a few lines can stand for billions of nodes.
_MAX_NODES: Final = 100_000
_TAGS: Final = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value as it was written, and the type (`str`, `int`, `bool`, …) YAML gives it."""

    text: str = field(repr=False)
    tag: str


# A null is None wherever it stands.
Tree = Scalar | list["Tree"] | dict[str, "Tree"] | None


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A file's content and the line (from 1) of every key and list item in it."""

    file: str
    tree: Tree
    lines: Mapping[Location, int]

    def problem(self, location: Location, text: str) -> Problem:
        """A problem at a place, or at the nearest place around it that is written down."""
        known = next((at for at in _outward(location) if at in self.lines), ())
        return Problem(self.file, self.lines.get(known, 1), text)


def _outward(location: Location) -> Iterator[Location]:
    for length in range(len(location), -1, -1):
        yield location[:length]


def read_document(path: Path) -> Document:
    """A YAML file as a Document; raises ConfigError."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ConfigError([Problem(str(path), 0, reason.lower())]) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            [Problem(str(path), 0, f"byte {error.start} is not UTF-8; expected YAML text")]
        ) from None
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """YAML text as a Document; raises ConfigError naming `file`."""
    try:
        root = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # A quoted word is the file's own text, perhaps a password that begins with * or !.
        what = re.sub(r" '[^']{2,}'", "", " ".join(filter(None, (error.context, error.problem))))
        line = mark.line + 1 if mark else 0
        raise ConfigError([Problem(file, line, f"not valid YAML: {what}")]) from None
    except yaml.YAMLError:
        unprintable = "not valid YAML: it holds characters that YAML does not allow"
        raise ConfigError([Problem(file, 0, unprintable)]) from None
    except RecursionError:
        raise ConfigError([Problem(file, 0, "not valid YAML: nested too deeply")]) from None
    return _Composer(file).document(root)


def _twice(key: str) -> str:
    return f'key "{shown_key(key)}" already set in map'


class _Composer:
    """Turns nodes into a tree, collecting lines and problems on the way."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: dict[Location, int] = {}
        self._problems: list[Problem] = []
        self._open: set[Node] = set()
        self._nodes = 0

    def document(self, root: Node | None) -> Document:
        tree = self._tree(root, ()) if root is not None else None
        if self._problems:
            raise ConfigError(self._problems)
        return Document(self._file, tree, self._lines)

    def _tree(self, node: Node, at: Location) -> Tree:
        self._lines.setdefault(at, node.start_mark.line + 1)
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise ConfigError([self._problem(node, "document contains excessive aliasing")])
        if node in self._open:
            raise ConfigError([self._problem(node, "anchor value contains itself")])
        self._open.add(node)
        tree = self._opened(node, at)
        self._open.discard(node)
        return tree

    def _opened(self, node: Node, at: Location) -> Tree:
        if isinstance(node, MappingNode):
            return self._mapping(node, at)
        if isinstance(node, SequenceNode):
            return [self._tree(item, (*at, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        known, tag = node.tag.startswith(_TAGS), node.tag.rpartition(":")[2]
        if not known:
            self._problems.append(self._problem(node, "unknown tag; put a text with ! in quotes"))
        return None if tag == "null" else Scalar(node.value, tag)

    def _mapping(self, node: MappingNode, at: Location) -> Tree:
        tree: dict[str, Tree] = {}
        merged: dict[str, Tree] = {}
        for key, value in node.value:
            if key.tag == f"{_TAGS}merge":
                merged |= self._merged(value, at)
            elif not isinstance(key, ScalarNode) or key.tag == f"{_TAGS}binary":
                self._problems.append(self._problem(key, "a key must be a plain word"))
            elif key.value in tree:
                self._problems.append(self._problem(key, _twice(key.value)))
            else:
                self._lines[(*at, key.value)] = key.start_mark.line + 1
                tree[key.value] = self._tree(value, (*at, key.value))
        return merged | tree

    def _merged(self, node: Node, at: Location) -> dict[str, Tree]:
        """The keys of `<<: *anchor`; of several mappings the first that has a key wins."""
        sources = node.value if isinstance(node, SequenceNode) else [node]
        merged: dict[str, Tree] = {}
        for source in sources:
            tree = self._tree(source, at)
            if not isinstance(tree, dict):
                self._problems.append(self._problem(source, "map merge requires map or sequence"))
            else:
                merged = tree | merged
        return merged

    def _problem(self, node: Node, text: str) -> Problem:
        return Problem(self._file, node.start_mark.line + 1, text)
