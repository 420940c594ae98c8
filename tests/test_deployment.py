"""What runs prombridge elsewhere: the manifests of docs/kubernetes.md and the systemd unit."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge import cli
from bridge.config.load import check

REPOSITORY = Path(__file__).parents[1]
UNIT = REPOSITORY / "packaging/prombridge.service"
TEXT = (REPOSITORY / "docs/kubernetes.md").read_text()
(BLOCK,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
MANIFESTS: dict[str, dict[str, Any]] = {one["kind"]: one for one in yaml.safe_load_all(BLOCK)}
POD = MANIFESTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()


def known_flags(capsys: pytest.CaptureFixture[str]) -> set[str]:
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    return set(re.findall(r"--[a-z][a-z.-]+", capsys.readouterr().out))


def flags_of(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words if word.startswith("--")]
    return {flag: value for flag, _, value in pairs}


def test_manifests_have_what_each_kind_needs() -> None:
    versions = {kind: one["apiVersion"] for kind, one in MANIFESTS.items()}
    assert versions == {
        "Secret": "v1",
        "Deployment": "apps/v1",
        "Service": "v1",
        "PodDisruptionBudget": "policy/v1",
    }
    assert {one["metadata"]["name"] for one in MANIFESTS.values()} == {"prombridge"}


def test_labels_lead_from_service_and_budget_to_the_pods() -> None:
    labels = POD["metadata"]["labels"]
    assert MANIFESTS["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert MANIFESTS["Service"]["spec"]["selector"] == labels
    assert MANIFESTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels


def test_the_configuration_of_the_secret_is_accepted(tmp_path: Path) -> None:
    held = MANIFESTS["Secret"]["stringData"]
    for name, text in held.items():
        (tmp_path / name).write_text(text)
    report = check(tmp_path / "prometheus.yml", tmp_path / "prombridge.yml")
    assert (report.errors, report.warnings) == ((), ())


def test_arguments_are_flags_that_exist_and_files_that_are_mounted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = flags_of(CONTAINER["args"])
    assert given.keys() <= known_flags(capsys)
    mounts = {one["mountPath"]: one["name"] for one in CONTAINER["volumeMounts"]}
    volumes = {one["name"]: one for one in POD["spec"]["volumes"]}
    for flag in ("--config.file", "--prombridge.config"):
        folder, _, file = given[flag].rpartition("/")
        assert volumes[mounts[folder]]["secret"]["secretName"] == "prombridge"
        assert file in MANIFESTS["Secret"]["stringData"]


def test_ports_and_probes_are_those_of_the_process() -> None:
    (port,) = CONTAINER["ports"]
    listening = flags_of(CONTAINER["args"])["--web.listen-address"]
    assert listening == f"0.0.0.0:{port['containerPort']}"
    assert f"EXPOSE {port['containerPort']}" in DOCKERFILE
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])
    assert MANIFESTS["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    for probe, path in (
        ("readinessProbe", "/-/ready"),
        ("livenessProbe", "/-/healthy"),
        ("startupProbe", "/-/ready"),
    ):
        assert CONTAINER[probe]["httpGet"] == {"path": path, "port": port["name"]}


def test_the_pod_is_nobody_and_has_time_to_end() -> None:
    user = re.findall(r"--uid (\d+)", DOCKERFILE)
    assert [str(POD["spec"]["securityContext"]["runAsUser"])] == user
    secured = CONTAINER["securityContext"]
    assert secured["readOnlyRootFilesystem"] is True
    assert secured["capabilities"] == {"drop": ["ALL"]}
    assert POD["spec"]["terminationGracePeriodSeconds"] > 30 + 5


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(UNIT)
    return parsed


def test_the_unit_starts_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    service = unit()["Service"]
    program, command, *rest = service["ExecStart"].split()
    assert (program, command) == ("/opt/prombridge/bin/prombridge", "serve")
    assert flags_of(rest).keys() <= known_flags(capsys)
    assert int(service["TimeoutStopSec"]) > 30
    assert (service["User"], service["NoNewPrivileges"]) == ("prombridge", "yes")
    assert service["ProtectSystem"] == "strict"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_the_unit_well_confined() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
