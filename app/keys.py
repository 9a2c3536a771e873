"""The keys of remote servers, in the keyring of the system or, failing that, in memory; knows no
server. No key is ever written to a file, a log or a `repr`."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

_ONLY_NOW = "so keys are kept only until Sightline is closed."
_NONE = f"This system offers no keyring, {_ONLY_NOW}"
_LOCKED = f"The system's keyring is locked, {_ONLY_NOW}"
_PLAIN = f"The keyring that is set up here would write keys as plain text, {_ONLY_NOW}"
_SWITCHED_OFF = f"The keyring is switched off here, {_ONLY_NOW}"
_FORGETFUL = f"The system's keyring did not keep the key, {_ONLY_NOW}"


class Keys:
    """One key for each profile name. Every call may wait for a person who unlocks the keyring:
    not for the thread that draws. A key that the keyring does not take is kept in memory."""

    def __init__(self, service: str = "sightline") -> None:
        self._service = service
        self._session: dict[str, str] = {}
        self._lock = threading.Lock()
        self._looked = False
        self._backend: KeyringBackend | None = None
        self._reason = ""

    def __repr__(self) -> str:
        return f"Keys({self._service!r})"

    @property
    def lasting(self) -> bool:
        """Whether keys outlast the program, as far as is known."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why keys do not outlast the program, as a sentence; empty when they do."""
        with self._lock:
            self._look()
            return self._reason

    def get(self, profile_name: str) -> str:
        """The key, or "" where there is none."""
        with self._lock:
            if profile_name in self._session:
                return self._session[profile_name]
            return self._ask(lambda ring: ring.get_password(self._service, profile_name)) or ""

    def set(self, profile_name: str, key: str) -> bool:
        """Keeps `key`; True: in the system's keyring, False: for this session only."""

        def keep(ring: KeyringBackend) -> bool:
            ring.set_password(self._service, profile_name, key)
            return bool(ring.get_password(self._service, profile_name) == key)

        with self._lock:
            kept = self._ask(keep)
            if kept:
                self._session.pop(profile_name, None)
                return True
            if kept is False:
                self._reason = _FORGETFUL
            self._session[profile_name] = key
            return False

    def forget(self, profile_name: str) -> None:
        def drop(ring: KeyringBackend) -> None:
            if ring.get_password(self._service, profile_name) is not None:
                ring.delete_password(self._service, profile_name)

        with self._lock:
            self._session.pop(profile_name, None)
            self._ask(drop)

    def _ask(self, call: Callable[[KeyringBackend], T]) -> T | None:
        self._look()
        if self._backend is None:
            return None
        try:
            answer = call(self._backend)
        except Exception as error:  # a keyring is a plug-in: it may raise anything
            self._reason = _complaint(error)
            return None
        self._reason = ""
        return answer

    def _look(self) -> None:
        """Finds the keyring, once. Imported late: that alone costs a tenth of a second."""
        if self._looked:
            return
        self._looked = True
        try:
            ring: KeyringBackend = importlib.import_module("keyring").get_keyring()
            self._reason = _objection((ring, *getattr(ring, "backends", ())))
        except Exception as error:  # the same plug-in, while it is loaded
            self._reason = _complaint(error)
        else:
            self._backend = None if self._reason else ring


def _objection(rings: Iterable[KeyringBackend]) -> str:
    """Why a key must not be given to these; empty when it may be."""
    modules = {type(ring).__module__ for ring in rings}
    if "keyring.backends.fail" in modules:
        return _NONE
    if "keyring.backends.null" in modules:
        return _SWITCHED_OFF
    if any(module.startswith("keyrings.alt") for module in modules):
        return _PLAIN
    return ""


def _complaint(error: Exception) -> str:
    """What went wrong, from the error's type alone: its text could hold anything."""
    match type(error).__name__:
        case "NoKeyringError":
            return _NONE
        case "KeyringLocked" | "LockedException" | "PromptDismissedException":
            return _LOCKED
        case name:
            return f"The system's keyring can't be used ({name}), {_ONLY_NOW}"
