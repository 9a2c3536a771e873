"""Keys in a real keyring, and without one. Each case is a process: a keyring is chosen once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.keys import Keys

ROOT = Path(__file__).parents[1]

_CASE = """
import sys
from app.keys import Keys
keys = Keys()
assert not any(name.startswith("keyring") for name in sys.modules), "imported too early"
print(keys.set("z.ai", "sk-topsecret"), keys.lasting)
print(keys.reason)
print(keys.get("z.ai"), repr(keys.get("other")), Keys().get("z.ai"))
print(repr(keys), str(vars(keys)["_reason"]))
keys.forget("z.ai")
keys.forget("never set")
print(repr(keys.get("z.ai")), repr(Keys().get("z.ai")))
"""


def run(tmp_path: Path, command: list[str], code: str = _CASE, **variables: str) -> list[str]:
    places = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    environment = os.environ | places | {"XDG_RUNTIME_DIR": str(tmp_path)} | variables
    environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    done = subprocess.run(
        [*command, sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("keyring.backends.fail.Keyring", "offers no keyring"),
        ("keyring.backends.null.Keyring", "switched off"),
        ("no.such.Backend", "can't be used (ModuleNotFoundError)"),
    ],
)
def test_without_a_keyring_a_key_lasts_for_the_session_and_it_is_said(
    tmp_path: Path, backend: str, words: str
) -> None:
    kept, reason, got, *_ = run(tmp_path, [], PYTHON_KEYRING_BACKEND=backend)
    assert kept == "False False"
    assert words in reason and reason.endswith("until Sightline is closed.")
    assert got == "sk-topsecret '' "


def test_a_forgotten_session_key_is_gone(tmp_path: Path) -> None:
    *_, after = run(tmp_path, [], PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    assert after == "'' ''"


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    shown = run(tmp_path, [], PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")[3]
    assert shown.startswith("Keys('sightline')")
    assert "topsecret" not in shown


_FAILING = """
import keyring.backend, keyring.errors
class Ring(keyring.backend.KeyringBackend):
    priority = 9
    def get_password(self, service, username): return None
    def set_password(self, service, username, password):
        raise keyring.errors.KeyringLocked(password)
    def delete_password(self, service, username): raise OSError
"""


def test_a_locked_keyring_keeps_the_key_for_the_session(tmp_path: Path) -> None:
    (tmp_path / "ring.py").write_text(_FAILING)
    kept, reason, got, shown, _ = run(
        tmp_path, [], PYTHON_KEYRING_BACKEND="ring.Ring", PYTHONPATH=f"{ROOT}:{tmp_path}"
    )
    assert kept == "False False"
    assert "locked" in reason
    assert got == "sk-topsecret '' "
    assert "topsecret" not in shown


def test_a_keyring_that_writes_plain_text_gets_no_key(tmp_path: Path) -> None:
    package = tmp_path / "keyrings" / "alt"
    package.mkdir(parents=True)
    (package / "file.py").write_text(_FAILING)
    kept, reason, *_ = run(
        tmp_path,
        [],
        PYTHON_KEYRING_BACKEND="keyrings.alt.file.Ring",
        PYTHONPATH=f"{ROOT}:{tmp_path}",
    )
    assert kept == "False False"
    assert "plain text" in reason


def test_a_keyring_that_forgets_at_once_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "ring.py").write_text(
        _FAILING.replace("raise keyring.errors.KeyringLocked(password)", "pass")
    )
    kept, reason, got, *_ = run(
        tmp_path, [], PYTHON_KEYRING_BACKEND="ring.Ring", PYTHONPATH=f"{ROOT}:{tmp_path}"
    )
    assert (kept, got) == ("False False", "sk-topsecret '' ")
    assert "did not keep" in reason


@pytest.mark.skipif(
    not (shutil.which("gnome-keyring-daemon") and shutil.which("dbus-run-session")),
    reason="gnome-keyring and dbus-run-session are not installed",
)
def test_a_real_keyring_keeps_the_key_for_the_next_start(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    unlock = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null"
    command = ["dbus-run-session", "--", "sh", "-c", f'{unlock} && exec "$@"', "sh"]
    kept, reason, got, shown, after = run(
        tmp_path, command, PYTHON_KEYRING_BACKEND="keyring.backends.SecretService.Keyring"
    )
    assert (kept, reason) == ("True True", "")
    assert got == "sk-topsecret '' sk-topsecret"
    assert "topsecret" not in shown
    assert after == "'' ''"


def test_a_new_keys_object_shows_its_service_alone() -> None:
    assert repr(Keys("sightline-test")) == "Keys('sightline-test')"
