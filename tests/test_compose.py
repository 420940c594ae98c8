"""docker-compose.yml and what it mounts: every path, port, name and check is there."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from bridge.config.load import Report, check

REPOSITORY = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
# Where each image of others listens; prombridge says so itself.
PORTS = {"prometheus": 9090, "node-exporter": 9100, "prombridge": 9099, "grafana": 3000}

each_service = pytest.mark.parametrize("name", SERVICES)


def loaded(*path: str) -> Any:
    """A YAML file of the `grafana` folder."""
    return yaml.safe_load((REPOSITORY / "grafana" / Path(*path)).read_text())


def mounts(name: str) -> list[tuple[str, str, str]]:
    """Source, target and mode of a service's volumes."""
    parts = [volume.split(":") for volume in SERVICES[name]["volumes"]]
    return [(part[0], part[1], part[2] if len(part) > 2 else "rw") for part in parts]


def inside(name: str, path: str) -> Path:
    """The file of this repository that a service sees at `path`."""
    for source, target, _ in mounts(name):
        if source.startswith("./") and (path == target or path.startswith(f"{target}/")):
            return REPOSITORY / source / path[len(target) :].lstrip("/")
    raise AssertionError(f"{name} sees nothing of this repository at {path}")


def flags(name: str) -> dict[str, str]:
    """The flags a service is started with."""
    pairs = [word[2:].partition("=") for word in SERVICES[name]["command"] if word.startswith("--")]
    return {flag: value for flag, _, value in pairs}


def test_every_yaml_and_json_file_loads() -> None:
    files = [file for file in (REPOSITORY / "grafana").rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".yaml", ".yml"}
    for file in files:
        text = file.read_text()
        assert json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)


def test_services_are_the_four() -> None:
    assert set(SERVICES) == set(PORTS)
    known = {
        "image", "build", "command", "environment", "volumes", "ports", "expose", "healthcheck",
        "depends_on", "restart", "pid", "stop_grace_period",
    }  # fmt: skip
    for service in SERVICES.values():
        assert service.keys() <= known


@each_service
def test_image_is_pinned_to_a_release(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (REPOSITORY / service["build"] / "Dockerfile").is_file()
    else:
        assert re.fullmatch(r"[a-z]+/[a-z-]+:v?\d+\.\d+\.\d+", service["image"])


@each_service
def test_health_check_asks_the_port_the_service_listens_on(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert check["test"][1] == ("python" if name == "prombridge" else "wget")
    url = re.findall(r"http://[^\s\"']+", " ".join(check["test"]))
    assert len(url) == 1
    assert urlsplit(url[0]).netloc == f"127.0.0.1:{PORTS[name]}"
    assert re.fullmatch(r"\d+s", check["interval"])
    assert check["retries"] > 0


def test_health_check_of_prombridge_is_python_that_compiles() -> None:
    compile(SERVICES["prombridge"]["healthcheck"]["test"][-1], "healthcheck", "exec")


@each_service
def test_published_ports_are_local_and_lead_to_where_it_listens(name: str) -> None:
    for published in SERVICES[name].get("ports", ()):
        host, outside, inner = published.split(":")
        assert (host, int(outside), int(inner)) == ("127.0.0.1", PORTS[name], PORTS[name])


@each_service
def test_every_file_and_volume_mounted_exists(name: str) -> None:
    for source, _, mode in mounts(name):
        if source.startswith("./"):
            assert (REPOSITORY / source).exists()
            assert mode == "ro"
        elif not source.startswith("/"):
            assert source in COMPOSE["volumes"]


def test_every_named_volume_is_used() -> None:
    used = {source for name in SERVICES for source, _, _ in mounts(name)}
    assert set(COMPOSE["volumes"]) <= used


@each_service
def test_it_waits_for_what_it_needs_to_be_healthy(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert needed in SERVICES
        assert how == {"condition": "service_healthy"}


def test_configuration_files_named_by_flags_are_mounted() -> None:
    assert inside("prometheus", flags("prometheus")["config.file"]).is_file()
    assert inside("prombridge", flags("prombridge")["config.file"]).is_file()


def test_every_scrape_target_is_a_service_at_its_port() -> None:
    scraped = {
        job["job_name"]: job["static_configs"][0]["targets"][0]
        for job in loaded("prometheus", "prometheus.yml")["scrape_configs"]
    }
    assert scraped == {
        "prometheus": "localhost:9090",
        "node": f"node-exporter:{PORTS['node-exporter']}",
        "prombridge": f"prombridge:{PORTS['prombridge']}",
    }


def test_prombridge_reads_from_the_prometheus_service() -> None:
    (store,) = loaded("prombridge", "prometheus.yml")["remote_read"]
    assert store["url"] == f"http://prometheus:{PORTS['prometheus']}/api/v1/read"


def test_both_configurations_are_accepted_by_those_who_read_them(promtool: Path) -> None:
    file = REPOSITORY / "grafana/prombridge/prometheus.yml"
    assert check(file) == Report((), ())
    for one in (file, REPOSITORY / "grafana/prometheus/prometheus.yml"):
        subprocess.run([promtool, "check", "config", one], check=True, capture_output=True)


def test_prombridge_listens_for_other_containers() -> None:
    assert flags("prombridge")["web.listen-address"] == f"0.0.0.0:{PORTS['prombridge']}"


def test_data_source_is_prombridge() -> None:
    (source,) = loaded("provisioning", "datasources", "prombridge.yaml")["datasources"]
    assert source["type"] == "prometheus"
    assert source["isDefault"]
    assert source["url"] == f"http://prombridge:{PORTS['prombridge']}"
    settings = source["jsonData"]
    scrape = loaded("prometheus", "prometheus.yml")["global"]["scrape_interval"]
    assert settings["timeInterval"] == scrape
    assert settings["httpMethod"] == "POST"
    assert int(settings["queryTimeout"].removesuffix("s")) < settings["timeout"]


def test_dashboards_are_where_grafana_looks_for_them() -> None:
    (provider,) = loaded("provisioning", "dashboards", "prombridge.yaml")["providers"]
    folder = inside("grafana", provider["options"]["path"])
    assert len(list(folder.glob("*.json"))) == 2
    environment = SERVICES["grafana"]["environment"]
    assert inside("grafana", environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()


def test_nobody_is_let_into_grafana_unasked() -> None:
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
