"""YAML as it is written by hand: lines, anchors, and what is no YAML."""

import pytest

from bridge.config.document import Scalar, parse_document
from bridge.config.errors import ConfigError

ESCAPE = (
    "not valid YAML: while scanning a double-quoted scalar found invalid Unicode character escape"
)
VERSION = "not valid YAML: while scanning a %YAML directive found extremely long version number"


def test_every_key_and_item_has_its_line() -> None:
    document = parse_document("a: 1\nb:\n  - x\n  - c: 2\n", "f.yml")
    assert document.tree == {
        "a": Scalar("1", "int"),
        "b": [Scalar("x", "str"), {"c": Scalar("2", "int")}],
    }
    assert document.lines[("b",)] == 2
    assert document.lines[("b", 1, "c")] == 4


def test_a_problem_stands_at_the_nearest_written_place() -> None:
    document = parse_document("a:\n  b: 1\n", "f.yml")
    assert str(document.problem(("a", "missing", 3), "text")) == "f.yml:1: text"


def test_merged_keys_yield_to_the_mappings_own() -> None:
    document = parse_document("base: &b {x: 1, y: 1}\nuse: {<<: *b, y: 2}\n", "f.yml")
    assert isinstance(document.tree, dict)
    assert document.tree["use"] == {"x": Scalar("1", "int"), "y": Scalar("2", "int")}


def test_an_empty_file_is_an_empty_tree() -> None:
    assert parse_document("", "f.yml").tree is None
    assert parse_document("# only a comment\n", "f.yml").tree is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: 1\na: 2\n", 'f.yml:2: key "a" already set in map'),
        (
            "x: {http://u:pw@h/p: 1, http://u:pw@h/p: 2}",
            'f.yml:1: key "http://h/p" already set in map',
        ),
        ("a: [1\nb: 2", "f.yml:2: not valid YAML: while parsing a flow sequence"),
        ("a: *hunter2", "f.yml:1: not valid YAML: found undefined alias"),
        ("a: !hunter2", "f.yml:1: unknown tag; put a text with ! in quotes"),
        ("a: @b", "f.yml:1: not valid YAML: while scanning for the next token found character '@'"),
        ("? [a, b]\n: 1", "f.yml:1: a key must be a plain word"),
        ("a: &a [*a]", "f.yml:1: anchor value contains itself"),
        ("a: 1\n---\nb: 2", "f.yml:2: not valid YAML: expected a single document"),
        ("a: \x00", "f.yml: not valid YAML: it holds characters that YAML does not allow"),
        ("[" * 5000, "f.yml: not valid YAML: nested too deeply"),
        ('\na: "\\uDC00"', f"f.yml:2: {ESCAPE}"),
        ('a: "\\U00110000"', f"f.yml:1: {ESCAPE}"),
        ('a: "\\UFFFFFFFF"', f"f.yml:1: {ESCAPE}"),
        (f"%YAML {'1' * 5000}.1\n---\na", f"f.yml:1: {VERSION}"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(text: str, error: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_document(text, "f.yml")
    assert str(caught.value).startswith(error)
    assert "hunter2" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_aliases_cannot_multiply_without_bound() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(ConfigError, match="document contains excessive aliasing"):
        parse_document("\n".join(lines), "f.yml")
