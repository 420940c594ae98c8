"""The image, step by step as far as it goes without docker: files, packages, flags, health."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from bridge import cli
from bridge.kernel import disk
from tests.servers.bridge import bridge_command, reading
from tests.servers.process import Running, free_port, running

REPOSITORY: Final = Path(__file__).parents[1]
DOCKERFILE: Final = (REPOSITORY / "Dockerfile").read_text()
PROJECT: Final[dict[str, Any]] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def instructions(word: str) -> list[str]:
    """The instructions of the Dockerfile that begin with this word."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    return [line[len(word) + 1 :] for line in lines if line.startswith(f"{word} ")]


def copied() -> set[str]:
    """What comes from the repository."""
    lines = (line for line in instructions("COPY") if not line.startswith("--from"))
    return {word for line in lines for word in shlex.split(line)[:-1]}


def test_every_stage_starts_from_the_same_pinned_python() -> None:
    bases = {line.split()[0] for line in instructions("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", bases.pop())


def test_image_is_built_from_files_that_exist_and_reach_the_builder() -> None:
    sent = {
        line[1:] for line in (REPOSITORY / ".dockerignore").read_text().split() if line[0] == "!"
    }
    assert copied() == sent
    assert all((REPOSITORY / one).exists() for one in copied())


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="needs the repository")
def test_image_is_built_from_files_that_everybody_has() -> None:
    for one in (*copied(), "bridge/console/static"):
        listed = ["git", "-C", str(REPOSITORY), "ls-files", "--", one]
        assert subprocess.run(listed, check=True, capture_output=True).stdout, one


def test_kernels_are_compiled_by_the_user_that_runs_them_for_a_fixed_cpu() -> None:
    (variables,) = [line for line in instructions("ENV") if "PROMBRIDGE_KERNEL_CACHE" in line]
    assert "NUMBA_CPU_NAME=" in variables
    assert 'NUMBA_CPU_FEATURES=""' in variables
    folder = re.findall(r"PROMBRIDGE_KERNEL_CACHE=(\S+)", variables)[0]
    assert f"--owner=prombridge --group=prombridge {folder}" in DOCKERFILE
    assert DOCKERFILE.index("USER prombridge") < DOCKERFILE.index("RUN prombridge warm")
    assert instructions("USER") == ["prombridge"]


def test_all_that_is_installed_is_pinned() -> None:
    (extras,) = re.findall(r"prombridge\[([^]]+)\]", DOCKERFILE)
    optional = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    wanted += [one for extra in extras.split(",") for one in optional[extra]]
    pinned = re.findall(r"^([\w.-]+)==", (REPOSITORY / "constraints.txt").read_text(), re.MULTILINE)
    assert {re.split(r"[^\w.-]", one)[0] for one in wanted} <= set(pinned)


def served() -> list[str]:
    """The command that the image runs."""
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    return [*json.loads(entry), *json.loads(command)]


def test_image_runs_what_there_is_where_it_is_looked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    program, command, *arguments = served()
    assert program in PROJECT["project"]["scripts"]
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    known = re.findall(r"--[a-z][a-z.-]+", capsys.readouterr().out)
    given = dict(one.split("=") for one in arguments)
    assert given.keys() <= set(known)
    (port,) = instructions("EXPOSE")
    assert given["--web.listen-address"] == f"0.0.0.0:{port}"
    assert f"http://127.0.0.1:{port}/-/ready" in health(int(port))[-1]


def health(port: int) -> list[str]:
    """The image's check of its health, for a bridge on this port."""
    (check,) = instructions("HEALTHCHECK")
    command: list[str] = json.loads(check.partition("CMD ")[2])
    assert command[0] == "python"
    return [sys.executable, *(word.replace(":9099/", f":{port}/") for word in command[1:])]


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Running]:
    """A bridge with as little around it as in the image: no home, the root as its folder."""
    without = {key: value for key, value in os.environ.items() if key not in {"HOME", "PWD"}}
    kernels = str(disk.folder().parent)
    environment = {**without, "PROMBRIDGE_KERNEL_CACHE": kernels, "PYTHONPATH": str(REPOSITORY)}

    def command(port: int) -> list[str]:
        started = bridge_command(tmp_path, reading("http://127.0.0.1:1/read"), port)
        return ["env", "--chdir=/", *started]

    with running(command, "/-/ready", tmp_path / "log", environment) as server:
        yield server


def test_health_check_tells_a_bridge_that_serves_from_one_that_does_not(bridge: Running) -> None:
    port = int(bridge.url.rpartition(":")[2])
    assert subprocess.run(health(port), check=False).returncode == 0
    deaf = subprocess.run(health(free_port()), check=False, stderr=subprocess.PIPE)
    assert deaf.returncode == 1
