"""Configuration files as the tests write them."""

from pathlib import Path
from textwrap import dedent

from bridge.config.flags import Flags
from bridge.config.load import Loaded, check, load
from bridge.remote.settings import StoreSettings


def written(folder: Path, text: str, name: str = "prometheus.yml") -> Path:
    """A file with this text."""
    file = folder / name
    file.write_text(dedent(text))
    return file


def loaded(folder: Path, text: str, own: str | None = None, flags: Flags | None = None) -> Loaded:
    """What is loaded from these texts."""
    own_file = None if own is None else written(folder, own, "prombridge.yml")
    return load(written(folder, text), own_file, flags or Flags())


def errors(folder: Path, text: str, own: str | None = None) -> list[str]:
    """The errors of these texts, without the folder."""
    own_file = None if own is None else written(folder, own, "prombridge.yml")
    return [one.replace(f"{folder}/", "") for one in check(written(folder, text), own_file).errors]


def warnings(folder: Path, text: str) -> list[str]:
    """The warnings of this text, without the folder."""
    return [one.replace(f"{folder}/", "") for one in loaded(folder, text).warnings]


def entry(folder: Path, keys: str) -> StoreSettings:
    """The store of a single remote_read entry; `keys` is YAML in flow style."""
    text = f"remote_read: [{{url: 'http://store/read', {keys}}}]"
    return loaded(folder, text).settings.stores[0]


def entry_errors(folder: Path, keys: str) -> list[str]:
    """The errors of a single remote_read entry, without file and line."""
    text = f"remote_read: [{{url: 'http://store/read', {keys}}}]"
    return [one.removeprefix("prometheus.yml:1: remote_read[0]") for one in errors(folder, text)]
