"""Settings: the value, the file, the folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.settings import (
    LOCAL,
    Hotkeys,
    Mark,
    Profile,
    Recording,
    Settings,
    Template,
    folders,
    load,
    save,
)
from app.vocabulary import StoreFault

REMOTE = Profile("z.ai", "https://host.example/v4", "glm-4.5v", dialect="glm-4.5v", switch="zai")


def written(folder: Path, **content: object) -> Path:
    path = folder / "settings.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_no_file_gives_the_defaults_without_a_word(tmp_path: Path) -> None:
    assert load(tmp_path) == (Settings(), None)


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_profiles = st.builds(
    Profile,
    name=_texts.filter(lambda name: name not in ("", LOCAL)),
    base_url=_texts,
    model=_texts,
    sees_pictures=st.booleans(),
    dialect=st.sampled_from(["auto", "glm-4.5v", "glm-4.1v"]),
    pictures=st.sampled_from(["data_url", "base64"]),
    switch=st.sampled_from(["none", "template", "zai"]),
    context=st.none() | st.integers(1, 10**6),
    takes_video=st.booleans(),
)
_recordings = st.builds(
    Recording,
    frame_rate=st.integers(1, 60),
    pointer=st.booleans(),
    delay=st.integers(0, 60),
    longest=st.integers(1, 86_400),
    largest=st.integers(1, 10**6),
    microphone=st.booleans(),
)
_numbers = st.integers(-(10**5), 10**5)
_marks = st.builds(Mark, _numbers, _numbers, st.integers(1, 10**5), st.integers(1, 10**5))
_settings = st.builds(
    Settings,
    theme=st.sampled_from(["system", "light", "dark"]),
    language=st.sampled_from(["system", "en", "zh"]),
    profiles=st.lists(_profiles, max_size=3, unique_by=lambda made: made.name).map(tuple),
    layout=st.sampled_from(["auto", "beside", "stacked"]),
    thinking=st.none() | st.booleans(),
    max_tokens=st.integers(1, 10**6),
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    system_prompt=_texts,
    history_turns=st.integers(0, 100),
    geometry=_texts,
    local_model=_texts,
    hotkeys=st.builds(Hotkeys, *([_texts] * 6)),
    tray_click=st.sampled_from(["snip", "window", "record"]),
    close_to_tray=st.booleans(),
    sign=st.sampled_from(["flash", "sound", "none"]),
    never_captured=st.lists(_texts, max_size=3).map(tuple),
    recording=_recordings,
    templates=st.lists(st.builds(Template, _texts, _texts), max_size=3).map(tuple),
    regions=st.lists(_marks, max_size=3).map(tuple),
    hinted=st.booleans(),
    quick_size=_texts,
    tray_missed=st.booleans(),
    save_folder=_texts,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_settings)
def test_what_is_saved_comes_back_equal(tmp_path: Path, chosen: Settings) -> None:
    save(chosen, tmp_path)
    assert load(tmp_path) == (chosen, None)


def test_a_chosen_profile_comes_back_chosen(tmp_path: Path) -> None:
    chosen = Settings(endpoint="z.ai", profiles=(REMOTE,))
    save(chosen, tmp_path)
    assert load(tmp_path)[0] == chosen


def test_unknown_fields_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path, theme="dark", from_the_future={"a": 1})
    assert load(tmp_path) == (Settings(theme="dark"), None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "purple"),
        ("theme", ["dark"]),
        ("max_tokens", "many"),
        ("max_tokens", True),
        ("max_tokens", 0),
        ("temperature", "hot"),
        ("temperature", 3),
        ("thinking", 1),
        ("profiles", {"a": 1}),
        ("system_prompt", None),
        ("history_turns", -1),
        ("endpoint", "nowhere"),
    ],
)
def test_a_wrong_value_costs_one_field_and_is_named(
    tmp_path: Path, name: str, value: object
) -> None:
    written(tmp_path, **({"layout": "stacked"} | {name: value}))
    found, warning = load(tmp_path)
    assert found == Settings(layout="stacked")
    assert warning is not None and name in warning


def test_a_number_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"temperature": NaN}')
    found, warning = load(tmp_path)
    assert found == Settings()
    assert warning is not None and "temperature" in warning


def test_a_whole_number_is_a_temperature(tmp_path: Path) -> None:
    written(tmp_path, temperature=1)
    assert load(tmp_path) == (Settings(temperature=1.0), None)


def test_a_wrong_profile_goes_and_the_others_stay(tmp_path: Path) -> None:
    good = {"name": "a", "base_url": "https://a", "model": "m"}
    bad: list[object] = [{"name": "b"}, 7, good | {"name": LOCAL}, good, good | {"switch": 1}]
    written(tmp_path, profiles=[*bad, good | {"name": "c", "switch": "?"}])
    found, warning = load(tmp_path)
    assert found.profiles == (Profile("a", "https://a", "m"), Profile("c", "https://a", "m"))
    assert warning is not None and "profiles 1" in warning


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"null", b"[" * 100_000, b'{"a":1} x']
)
def test_a_damaged_file_is_kept_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    found, warning = load(tmp_path)
    assert found == Settings()
    assert warning is not None and "settings.json.bad" in warning
    assert (tmp_path / "settings.json.bad").read_bytes() == content
    assert not (tmp_path / "settings.json").exists()


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_bytes(b'\xef\xbb\xbf{"theme": "dark"}')
    assert load(tmp_path) == (Settings(theme="dark"), None)


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    found, warning = load(tmp_path)
    assert found == Settings()
    assert warning is not None and "can't be read" in warning


@pytest.mark.skipif(os.name != "posix", reason="the rights of files are POSIX's")
def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    save(Settings(), tmp_path / "new")
    assert (tmp_path / "new" / "settings.json").stat().st_mode & 0o077 == 0


def test_a_save_that_fails_keeps_the_old_file_and_says_so(tmp_path: Path) -> None:
    save(Settings(theme="dark"), tmp_path)
    (tmp_path / "config").touch()
    with pytest.raises(StoreFault, match="can't save the settings"):
        save(Settings(), tmp_path / "config")
    assert load(tmp_path)[0].theme == "dark"


def test_a_save_leaves_no_other_file(tmp_path: Path) -> None:
    for theme in ("dark", "light"):
        save(replace(Settings(), theme=theme), tmp_path)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_profile_becomes_an_endpoint_with_its_key() -> None:
    endpoint = REMOTE.endpoint("secret")
    assert (endpoint.name, endpoint.base_url, endpoint.model) == (
        "z.ai",
        "https://host.example/v4",
        "glm-4.5v",
    )
    assert (endpoint.api_key, endpoint.local, endpoint.switch) == ("secret", False, "zai")
    assert "secret" not in repr(endpoint)


def test_no_key_is_a_setting(tmp_path: Path) -> None:
    save(Settings(profiles=(REMOTE,)), tmp_path)
    assert "key" not in (tmp_path / "settings.json").read_text().replace("hotkeys", "")


def test_one_variable_moves_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_HOME", str(tmp_path))
    found = folders()
    assert {found.config, found.data, found.cache, found.logs} == {
        tmp_path / name for name in ("config", "data", "cache", "logs")
    }


def test_without_it_the_system_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGHTLINE_HOME", raising=False)
    found = folders()
    assert all(path.is_absolute() and "sightline" in str(path) for path in (found.data, found.logs))


@pytest.mark.skipif(os.name != "posix", reason="limits on file sizes are POSIX's")
def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from pathlib import Path
from app.settings import Settings, load, save
from app.vocabulary import StoreFault
folder = Path(sys.argv[1])
save(Settings(theme="dark"), folder)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
try:
    save(Settings(system_prompt="long " * 999), folder)
except StoreFault as fault:
    print(fault.kind, load(folder)[0].theme, len(list(folder.iterdir())))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == ["no_space", "dark", "1"]
