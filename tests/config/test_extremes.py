"""Each key of each file takes texts without measure, or refuses them in words."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml

from bridge.config.errors import ConfigError
from bridge.config.fields import Section
from bridge.config.load import load
from bridge.config.own import OwnFile
from bridge.config.prometheus import PrometheusFile
from bridge.config.web_file import WebFile, check_web_file
from tests.config.files import entry_errors, errors

STORE = {"url": "http://store/read", "name": "one"}
DIGITS = "1" * 5000
TEXTS = (
    DIGITS, f"{DIGITS}.", f"{DIGITS}e99", f"0x{DIGITS}", f"-{DIGITS}", f"{DIGITS}d", f"-{DIGITS}d",
    f"{DIGITS}.{DIGITS}GiB", f"1e{DIGITS}", "nan", "inf", "-inf", "\0", "/" * 5000, "a" * 5000,
    f"http://h:{DIGITS}/", f"{{a=~'{'(' * 5000}'}}", f"{DIGITS}-01-01T00:00:00Z", "٣",
)  # fmt: skip
FILES = pytest.mark.parametrize("kind", [PrometheusFile, OwnFile, WebFile])


class Sharing(yaml.SafeDumper):
    """Writes a long text once, then aliases of it: to scan it is slow."""

    def ignore_aliases(self, data: object) -> bool:
        return not (isinstance(data, str) and len(data) > 1000)


def filled(kind: Any, text: str) -> Any:
    """A value of this kind in which each key is written, and everything written is this text."""
    origin, inside = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Section):
        fields = kind.model_fields.items()
        return {field.alias or name: filled(field.annotation, text) for name, field in fields}
    if origin is list:
        return [filled(inside[0], text)]
    if origin is dict:
        return {"one": filled(inside[1], text)}
    return next((filled(one, text) for one in inside if one is not type(None)), text)


def single(whole: Any) -> Iterator[Any]:
    """The same with one of its texts only, for each of them."""
    if isinstance(whole, dict):
        for key, value in whole.items():
            yield from ({key: one} for one in single(value))
    elif isinstance(whole, list):
        yield from ([one] for one in single(whole[0]))
    else:
        yield whole


def read(kind: type[Section], content: dict[str, Any], folder: Path) -> None:
    """Loads it; raises nothing but a ConfigError."""
    if kind is PrometheusFile:
        content["remote_read"] = [STORE | one for one in content.get("remote_read", [{}])]
    file, plain = folder / "file.yml", folder / "prometheus.yml"
    file.write_text(yaml.dump(content, Dumper=Sharing, allow_unicode=True))
    plain.write_text(yaml.safe_dump({"remote_read": [STORE]}))
    with suppress(ConfigError):
        if kind is PrometheusFile:
            load(file, None)
        elif kind is OwnFile:
            load(plain, file)
        else:
            check_web_file(file)


@FILES
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_text_is_more_than_a_key_can_refuse(
    kind: type[Section], text: str, tmp_path: Path
) -> None:
    read(kind, filled(kind, text), tmp_path)


@FILES
@pytest.mark.parametrize("text", [DIGITS, "\0"], ids=("digits", "nul"))
def test_nor_where_nothing_else_is_wrong(kind: type[Section], text: str, tmp_path: Path) -> None:
    for content in single(filled(kind, text)):
        read(kind, content, tmp_path)


def test_a_whole_number_has_an_end(tmp_path: Path) -> None:
    text = ".chunked_read_limit: cannot unmarshal !!int `1111111...` into uint64"
    (error,) = entry_errors(tmp_path, f"chunked_read_limit: {DIGITS}")
    assert error.startswith(text)


def test_a_size_has_an_end(tmp_path: Path) -> None:
    (error,) = errors(
        tmp_path, yaml.safe_dump({"remote_read": [STORE]}), "cache: {max_bytes: 8EiB}"
    )
    text = 'size out of range: "8EiB"; expected a size such as 512MiB or 4GiB'
    assert error == f"prombridge.yml:1: cache.max_bytes: {text}"


@pytest.mark.parametrize("text", ["nan", "inf", ".nan", ".inf", "-inf", "1e999"])
def test_a_share_is_a_number(text: str, tmp_path: Path) -> None:
    content = {"remote_read": [STORE], "tracing": {"endpoint": "a:1", "sampling_fraction": text}}
    (error,) = errors(tmp_path, yaml.safe_dump(content))
    assert f"tracing.sampling_fraction: cannot unmarshal !!str `{text}` into float64" in error


def test_a_file_has_a_name_that_a_system_can_hold(tmp_path: Path) -> None:
    (error,) = entry_errors(tmp_path, 'tls_config: {ca_file: "\\0"}')
    text = "a file's name cannot hold a NUL character; expected the name of a file"
    assert error == f".tls_config.ca_file: {text}"
