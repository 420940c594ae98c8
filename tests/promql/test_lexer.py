"""Text falls into the tokens that Prometheus sees, counted in bytes."""

import pytest

from bridge.model.errors import ParseError
from bridge.promql.ast import NumberLiteral, StringLiteral
from bridge.promql.lexer import tokenize
from bridge.promql.parser import parse
from bridge.promql.tokens import described


def kinds(text: str) -> str:
    return " ".join(token.kind.replace(" ", "_") for token in tokenize(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "end_of_input"),
        ("# only\n", "end_of_input"),
        (
            "SUM Offset foo a:b :a",
            "sum offset identifier metric_identifier metric_identifier end_of_input",
        ),
        ("Inf nAN 1 .5 5m 1h30m", "number number number number duration duration end_of_input"),
        ("a</b<=c>/d", "identifier </ identifier <= identifier >/ identifier end_of_input"),
        ("{sum!=''}", "{ identifier != string_literal } end_of_input"),
        ("{a # b\n}", "{ identifier } end_of_input"),
        ("fill + fill (1)", "identifier + fill ( number ) end_of_input"),
        ("x[step():5m]", "identifier [ step ( ) error"),
        ("x[5m:][step():5m]", "identifier [ duration : ] [ step ( ) : duration ] end_of_input"),
        ("x[5m range ()]", "identifier [ duration range ( ) ] end_of_input"),
        ("0x1F 1_000 1e5", "number number number end_of_input"),
        ("0x1.2", "error"),
        ("1e", "error"),
        ("1_", "error"),
        ("1__0", "error"),
    ],
)
def test_text_falls_into_tokens(text: str, expected: str) -> None:
    assert kinds(text) == expected


def test_positions_are_bytes() -> None:
    tokens = tokenize('"é" + x')
    assert [(token.start, token.end) for token in tokens] == [(0, 4), (5, 6), (7, 8), (8, 8)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("017", 15.0),
        ("089", 89.0),
        ("0x_1F", 31.0),
        ("1_000.5_0", 1000.5),
        ("1_0_0.2_5", 100.25),
        ("9223372036854775808", 9223372036854775808.0),
        ("1e-3", 0.001),
        ("1h30m", 5400.0),
        ("1ms", 0.001),
        ("1y2w3d", 365 * 86400.0 + 17 * 86400),
    ],
)
def test_number_is_worth_what_go_makes_of_it(text: str, value: float) -> None:
    tree = parse(text, {})
    assert isinstance(tree, NumberLiteral)
    assert tree.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\a\b\f\n\r\t\v\\\""', '\a\b\f\n\r\t\v\\"'),
        (r"'\'\x41\101\u00e9\U0001F600'", "'AAé😀"),
        (r"`\n'`", "\\n'"),
        ("`a\nb`", "a\nb"),
        (r"'\xc3\xa9'", "é"),
        (r"'\xff'", "\udcff"),
        ("'é'", "é"),
    ],
)
def test_string_means_what_go_makes_of_it(text: str, value: str) -> None:
    tree = parse(text, {})
    assert isinstance(tree, StringLiteral)
    assert tree.value == value


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('"a\nb"', "1:1: parse error: unterminated quoted string"),
        ("'\\'", "1:1: parse error: unterminated quoted string"),
        ("'\\q'", "1:1: parse error: unknown escape sequence U+0071 'q'"),
        ("'\\", "1:1: parse error: escape sequence not terminated"),
        ("'\\x4", "1:1: parse error: escape sequence not terminated"),
        ("'\\400'", "1:1: parse error: escape sequence is an invalid Unicode code point"),
        ("'\\ud800'", "1:1: parse error: escape sequence is an invalid Unicode code point"),
        ("'\ufffd'", "1:1: parse error: invalid UTF-8 rune"),
        ("a\n + é", "2:4: parse error: unexpected character: 'é'"),
        ("\udcff", "1:1: parse error: unexpected character: '\ufffd'"),
        ("!", "1:1: parse error: unexpected character after '!': '\ufffd'"),
        ("{!", "1:2: parse error: unexpected character after '!' inside braces: '\ufffd'"),
        ("{{", "1:2: parse error: unexpected left brace '{'"),
        ("x]", "1:2: parse error: unexpected right bracket ']'"),
        ("x[5m[", "1:5: parse error: unexpected left bracket '['"),
        ("x[5m::]", "1:6: parse error: unexpected colon ':'"),
        ("x[:5m]", "1:4: parse error: unexpected colon before duration in duration expression"),
        ("x[5m", "1:5: parse error: unclosed left bracket"),
        ("x['", "1:3: parse error: unexpected character in duration expression: '\\''"),
        ("5m3", '1:1: parse error: bad number or duration syntax: "5m3"'),
        ("2h1hs", '1:1: parse error: unknown unit "hs" in duration "2h1hs"'),
        ("1h1d", '1:1: parse error: not a valid duration string: "1h1d"'),
        ("300y", "1:1: parse error: duration out of range"),
        (
            "1e400",
            (
                "1:1: parse error: error parsing number: "
                'strconv.ParseFloat: parsing "1e400": value out of range'
            ),
        ),
        (
            "0x",
            (
                "1:1: parse error: error parsing number: "
                'strconv.ParseFloat: parsing "0x": invalid syntax'
            ),
        ),
    ],
)
def test_wrong_text_is_told_where_it_stands(text: str, error: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text, {})
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("foo", 'identifier "foo"'),
        ("a:b", 'metric identifier "a:b"'),
        ("'x'", "string \"'x'\""),
        ('"long enough"', 'string "\\"long enou"...'),
        ("5m", 'duration "5m"'),
        ("By", "<By>"),
        ("sum", "<aggr:sum>"),
        ("atan2", "<op:atan2>"),
        ("@", "<op:@>"),
        ("start", '"start"'),
        (",", '","'),
    ],
)
def test_token_is_named_as_prometheus_names_it(text: str, name: str) -> None:
    assert described(tokenize(text)[0]) == name
