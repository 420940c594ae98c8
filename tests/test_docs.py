"""What README and docs say is so: links, configurations, flags, keys, paths, metrics, packages."""

import importlib.util
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from bridge import cli
from bridge.api import live
from bridge.api import read as remote_read
from bridge.api.routes import ADMIN, HANDLERS, OPENAPI, RECEIVERS, STORAGE
from bridge.config.flags import Flags
from bridge.config.load import check
from bridge.config.notices import UNUSED
from bridge.config.own import OwnFile, QuerySection, StoreSection, WebSection
from bridge.config.own_budgets import BudgetsSection
from bridge.config.own_cache import CacheSection
from bridge.config.own_catalogue import CatalogueSection
from bridge.config.own_forwarding import ForwardingSection
from bridge.config.own_replicas import ReplicasSection
from bridge.config.own_tenants import TenantSection, TenantsSection
from bridge.config.remote_read import RemoteReadSection
from bridge.telemetry.metrics import Metrics

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def page(name: str) -> str:
    return (REPOSITORY / name).read_text()


def section(text: str, heading: str) -> str:
    """The part of a page below a heading, up to the next of the same or a higher level."""
    level = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"{heading}\n")
    rest = text[start + len(heading) :]
    return re.split(rf"\n#{{1,{level}}} ", rest)[0]


def first_column(text: str) -> list[str]:
    """The code texts in the first column of a section's tables."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_link_within_the_repository_leads_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", file.read_text()):
        if not target.startswith("http"):
            assert (file.parent / target).exists(), target


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_file_of_the_repository_that_is_named_exists(file: Path) -> None:
    for named in re.findall(
        r"`((?:bridge|tests|grafana|docs|benchmarks)/[\w./-]*)`", file.read_text()
    ):
        assert (REPOSITORY / named).exists(), named


def snippets() -> Iterator[dict[str, Any]]:
    """The YAML of README and docs; manifests are tested apart."""
    for file in PAGES:
        if file.name == "kubernetes.md":
            continue
        for text in re.findall(r"```yaml\n(.*?)```", file.read_text(), re.DOTALL | re.MULTILINE):
            yield yaml.safe_load(text)
        for text in re.findall(r"   ```yaml\n(.*?)   ```", file.read_text(), re.DOTALL):
            yield yaml.safe_load(text)


def test_configurations_shown_are_accepted(tmp_path: Path) -> None:
    shown = list(snippets())
    reads = [one for one in shown if "remote_read" in one]
    own = [one for one in shown if "stores" in one]
    assert len(reads) + len(own) == len(shown) >= 6
    config, mine = tmp_path / "prometheus.yml", tmp_path / "prombridge.yml"
    for read in reads:
        config.write_text(yaml.safe_dump(read))
        assert check(config).errors == ()
    for one in own:
        groups = (group["stores"] for group in one.get("replicas", {}).values())
        names = dict.fromkeys([*one["stores"], *(name for group in groups for name in group)])
        stores = [{"name": name, "url": f"http://{name}/read"} for name in names]
        config.write_text(yaml.safe_dump({"remote_read": stores}))
        mine.write_text(yaml.safe_dump(one))
        assert check(config, mine).errors == ()


def test_every_flag_of_serve_is_documented_with_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    real = set(re.findall(r"--[a-z][a-z.-]+", shown)) - {"--help"}
    text = section(page("docs/configuration.md"), "## Flags")
    rows = dict(re.findall(r"^\| `(--[a-z.-]+)(?:=[^`]*)?` \| ([^|]+) \|", text, re.MULTILINE))
    assert rows.keys() == real
    explained = {
        part.split()[0]: found[1]
        for part in re.split(r" (?=--[a-z])", shown)
        if (found := re.search(r"\(default ([^)]+)\)", part))
    }
    documented = {flag: default.strip("`") for flag, default in rows.items() if "`" in default}
    assert explained == documented
    defaults = Flags()
    assert rows["--web.listen-address"] == f"`{defaults.web_listen_address}`"
    assert rows["--web.route-prefix"] == f"`{defaults.web_route_prefix}`"
    assert rows["--web.enable-admin-api"] == ("on" if defaults.web_enable_admin_api else "off")
    assert rows["--query.max-samples"] == f"`{defaults.query_max_samples}`"
    assert rows["--query.max-concurrency"] == f"`{defaults.query_max_concurrency}`"
    assert rows["--query.timeout"] == f"`{defaults.query_timeout // 60_000}m`"
    assert rows["--query.lookback-delta"] == f"`{defaults.query_lookback_delta // 60_000}m`"
    for name in ("sample_limit", "concurrent_limit", "max_bytes_in_frame"):
        flag = f"--storage.remote.read-{name.replace('_', '-')}"
        assert rows[flag] == f"`{getattr(defaults, f'storage_remote_read_{name}')}`"
    assert rows["--log.level"] == f"`{defaults.log_level}`"
    assert rows["--log.format"] == f"`{defaults.log_format}`"


def test_every_command_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    real = re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    shown = first_column(section(page("docs/configuration.md"), "## Commands"))
    assert sorted(text.split()[0] for text in shown) == sorted(real)


def test_every_key_of_a_remote_read_entry_is_documented() -> None:
    shown = set(first_column(section(page("docs/configuration.md"), "### `remote_read`")))
    assert RemoteReadSection.model_fields.keys() == shown - {"*_ref"}


def test_every_section_without_effect_is_documented() -> None:
    shown = first_column(section(page("docs/configuration.md"), "### Sections without effect"))
    assert sorted(shown) == sorted(UNUSED)


def test_every_key_of_our_own_file_is_documented() -> None:
    shown = first_column(section(page("docs/configuration.md"), "## prombridge.yml"))
    sections = {"query", "budgets", "web", "cache", "catalogue", "stores", "replicas", "tenants"}
    sections |= {"forwarding"}
    assert OwnFile.model_fields.keys() == sections
    real = [f"web.{key}" for key in WebSection.model_fields]
    real += [f"query.{key}" for key in QuerySection.model_fields]
    real += [f"budgets.{key}" for key in BudgetsSection.model_fields]
    real += [f"cache.{key}" for key in CacheSection.model_fields]
    real += [f"catalogue.{key}" for key in CatalogueSection.model_fields]
    real += [f"forwarding.{key}" for key in ForwardingSection.model_fields]
    real += [f"stores.<name>.{key}" for key in StoreSection.model_fields]
    real += [f"replicas.<name>.{key}" for key in ReplicasSection.model_fields]
    real += [f"tenants.{key}" for key in TenantsSection.model_fields]
    assert sorted(shown) == sorted(real)


def test_every_key_of_tenants_is_documented() -> None:
    shown = first_column(section(page("docs/tenants.md"), "## Settings"))
    real = [f"tenants.{key}" for key in TenantsSection.model_fields if key != "names"]
    real += [f"tenants.names.<tenant>.{key}" for key in TenantSection.model_fields]
    assert sorted(shown) == sorted(real)


def test_every_path_of_the_api_is_documented() -> None:
    shown = {path for path in first_column(page("docs/api.md")) if path.startswith("/api/v1")}
    paths = (*HANDLERS, *STORAGE, *RECEIVERS, OPENAPI, remote_read.PATH, live.PATH)
    assert {path.replace("{name:text}", "<name>") for path in paths} == shown
    assert ADMIN.keys() <= set(first_column(page("docs/api.md")))


def test_every_metric_is_documented() -> None:
    registry = CollectorRegistry()
    Metrics(registry, "0")
    families = registry.collect()
    suffixes = {"counter": "_total", "info": "_info"}
    real = {family.name + suffixes.get(family.type, "") for family in families}
    shown = {
        name for name in first_column(page("docs/api.md")) if re.fullmatch(r"prombridge_\w+", name)
    }
    assert {name for name in real if "_process_" not in name} == shown


def test_functions_that_are_shown_stand_in_the_code_like_that() -> None:
    files = (REPOSITORY / "bridge/engine/functions").glob("*.py")
    code = "\n".join(file.read_text() for file in files)
    code = code.replace("  # type: ignore[no-untyped-def]", "")
    text = section(page("CONTRIBUTING.md"), "## Adding a function")
    shown = re.findall(r"```python\n(.*?)   ```", text, re.DOTALL)
    assert len(shown) == 2
    assert all(textwrap.dedent(snippet) in code for snippet in shown)


def test_every_metric_that_is_named_anywhere_exists() -> None:
    registry = CollectorRegistry()
    Metrics(registry, "0")
    real = {sample.name for family in registry.collect() for sample in family.samples}
    real |= {family.name for family in registry.collect()}
    kinds = ("", "_total", "_info", "_bucket", "_count", "_sum")
    known = {family + kind for family in real for kind in kinds}
    files = [*PAGES, *(REPOSITORY / "grafana").rglob("*.*"), *(REPOSITORY / "packaging").iterdir()]
    for file in files:
        for name, more in re.findall(r"\b(prombridge_[a-z_]+[a-z])(_…|…|_?\*)?", file.read_text()):
            found = any(one.startswith(name) for one in known) if more else name in known
            assert found, f"{file}: {name}"


def test_every_dependency_has_its_reason() -> None:
    text = section(page("CONTRIBUTING.md"), "## Dependencies, and why")
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")][1:]
    shown = {name.strip() for cell in cells for name in cell.split(",")}
    real = {re.split(r"[><=]", dependency)[0] for dependency in PROJECT["dependencies"]}
    assert real == shown


def test_readme_names_the_commands_that_make_has() -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        assert set(re.findall(r"(?:^|`)make ([a-z]+)", page(name), re.MULTILINE)) <= targets


FAULT = r"(?:CVE-\d{4}-\d+|GHSA(?:-[a-z0-9]{4}){3})"
IMPOSSIBLE = "These cannot be ours:"


def fault_tests() -> set[str]:
    """The names of tests that are named after a fault of others."""
    files = (REPOSITORY / "tests").rglob("test_*.py")
    found = (re.findall(r"def (test_(?:cve|ghsa)_\w+)", file.read_text()) for file in files)
    return {name for names in found for name in names}


def test_every_fault_of_others_has_the_test_that_is_named_after_it() -> None:
    text, _ = section(page("docs/security.md"), "## Faults of others").split(IMPOSSIBLE)
    rows = [line.split("|")[1:4] for line in text.splitlines() if re.match(rf"\| {FAULT}", line)]
    shown = {name for _, _, tests in rows for name in re.findall(r"`(test_\w+)`", tests)}
    assert shown == fault_tests()
    for faults, _, tests in rows:
        first, *_ = re.findall(FAULT, faults)
        for name in re.findall(r"`(test_\w+)`", tests):
            assert name.startswith(f"test_{first.lower().replace('-', '_')}_")
    assert len(rows) > 20


def test_a_fault_that_cannot_be_ours_says_why_and_h2_is_not_there() -> None:
    _, text = section(page("docs/security.md"), "## Faults of others").split(IMPOSSIBLE)
    rows = [line.split("|")[1:4] for line in text.splitlines() if re.match(rf"\| {FAULT}", line)]
    assert rows
    assert all(reason.strip() for _, _, reason in rows)
    assert importlib.util.find_spec("h2") is None
