"""Headers with parameters, as Go's mime package takes them apart: cases of its own test."""

import pytest

from bridge.api.disposition import taken_apart


@pytest.mark.parametrize(
    ("text", "kind", "parameters"),
    [
        ('form-data; name="foo"', "form-data", {"name": "foo"}),
        (" form-data ; name=foo", "form-data", {"name": "foo"}),
        ('FORM-DATA;name="foo"', "form-data", {"name": "foo"}),
        (' FORM-DATA ; key=value;  blah="value";NAME="foo" ', "form-data",
         {"key": "value", "blah": "value", "name": "foo"}),
        ("foo; key=val1; key=val1", "foo", {"key": "val1"}),
        ("foo; key=val1; key=val2", "", {}),
        ("text/plain; charset=utf-8;", "text/plain", {"charset": "utf-8"}),
        ("text/plain; charset", "text/plain", {}),
        ("text/plain; a=b; =c", "text/plain", {}),
        ('text/plain; a="b', "text/plain", {}),
        ('text/plain; a="b\r\nc"', "text/plain", {}),
        ("text/plain charset=utf-8", "", {}),
        ("", "", {}),
        (";a=b", "", {}),
        (r'attachment; filename="f\oo.html"', "attachment", {"filename": r"f\oo.html"}),
        (r'attachment; filename="\"a\" b\\"', "attachment", {"filename": '"a" b\\'}),
        ('message/external-body; URL*0="ftp://";URL*1="a/b"', "message/external-body",
         {"url": "ftp://a/b"}),
        ("a; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "a",
         {"title": "This is ***fun***"}),
        ("a; b*0*=us-ascii'en'even%20more%20; b*1*=%2Afun%2A%20; b*2=\"isn't it!\"", "a",
         {"b": "even more *fun* isn't it!"}),
        ('a; filename*0="foo"; filename*2="bar"', "a", {"filename": "foo"}),
        ('a; filename*1="foo"', "a", {}),
        ("a; filename*=foo.html", "a", {}),
        ("a; filename=x; filename*=utf-8''%41", "a", {"filename": "A"}),
        ("a; filename*=latin9''%41", "a", {}),
    ],
)  # fmt: skip
def test_kind_and_parameters(text: str, kind: str, parameters: dict[str, str]) -> None:
    assert taken_apart(text) == (kind, parameters)


def test_a_text_costs_what_it_is_long() -> None:
    for text in ("a" + ";" * 10**6, 'a; b="' + "\\" * 10**6, "a" + " " * 10**6 + "b"):
        assert taken_apart(text)[1] == {}
    many = "a" + "".join(f"; n*{number}=x" for number in range(100_000))
    assert taken_apart(many) == ("a", {"n": "x" * 100_000})
