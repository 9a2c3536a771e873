"""What a hub says a repository holds, and which of it the engine needs; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.engine.headers import INDEX
from app.vocabulary import EndpointFault, EngineFault, Fault

_SINGLE = "model.safetensors"
_ADAPTER = "adapter_model.safetensors"
_TEXTS = (".json", ".jinja", ".model", ".tiktoken")
_NAMED = ("merges.txt", "vocab.txt")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_FOREIGN = ((".gguf", "GGUF"), (".onnx", "ONNX"), (".mlmodel", "Core ML"), (".h5", "TensorFlow"))
_LARGEST_TEXT = 200_000_000  # bytes; a tokenizer has some ten million
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")  # a name that every system takes
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file on a hub, by its path there: its size in bytes and what it must hash to, `sha256` of
    its content or `blob`, the SHA-1 that Git gives it."""

    path: str
    size: int
    sha256: str = ""
    blob: str = ""

    @property
    def hash(self) -> str:
        return self.sha256 or self.blob


def hugging_face(page: Any) -> list[Listed]:
    """One page of a tree (https://huggingface.co/docs/hub/api, `…/tree/{revision}`): a large file
    has its SHA-256 as `lfs.oid`, a small one Git's own as `oid`. Raises ValueError."""
    if not isinstance(page, list):
        raise ValueError("no list of files")
    return [_hugging_file(entry) for entry in page if _is_file(entry, "type", "directory")]


def modelscope(body: Any) -> list[Listed]:
    """ModelScope's answer to `…/repo/files`. Raises ValueError."""
    if not isinstance(body, dict) or body.get("Success") is False:
        raise ValueError("no list of files")
    files = (body.get("Data") or {}).get("Files")
    if not isinstance(files, list):
        raise ValueError("no list of files")
    return [_modelscope_file(entry) for entry in files if _is_file(entry, "Type", "tree")]


def needed(name: str, files: Iterable[Listed], index: Mapping[str, Any] | None) -> list[Listed]:
    """What has to be fetched to run the model `name`, the smallest first; `index` is the content
    of its INDEX, where it has one.

    Raises EngineFault("unsupported") where it holds nothing that the engine would open, and
    EndpointFault("bad_response") where the hub lacks a file that it must have.
    """
    there = {file.path: file for file in files}
    for path in there:
        _refuse_hostile(name, path)
    texts = [file for file in there.values() if _is_text(file)]
    weights = _weights(name, there, index)
    if not any(file.path in ("config.json", "adapter_config.json") for file in texts):
        raise EngineFault(
            "unsupported", f"{name} is no model that Sightline can run: it has no config.json."
        )
    chosen = [*texts, *weights]
    for file in chosen:
        if not file.hash:
            said = f"The hub gives no checksum for {file.path} of {name}, so it was not fetched."
            raise EndpointFault("bad_response", said)
    return sorted(chosen, key=lambda file: (file.size, file.path))


def read_index(name: str, content: bytes) -> Mapping[str, Any]:
    """An INDEX. Raises EndpointFault("bad_response")."""
    try:
        index = json.loads(content)
        if isinstance(index["weight_map"], dict) and index["weight_map"]:
            return {str(key): value for key, value in index.items()}
    except (ValueError, KeyError, TypeError):
        pass
    raise EndpointFault("bad_response", f"{INDEX} of {name} can't be understood.")


def _weights(
    name: str, there: Mapping[str, Listed], index: Mapping[str, Any] | None
) -> Sequence[Listed]:
    """The shards of the index, or the one file of a small model or an adapter."""
    if index is not None:
        shards = sorted({str(shard) for shard in index["weight_map"].values()})
        strange = next((shard for shard in shards if not _PLAIN.fullmatch(shard)), None)
        if strange is not None:
            raise _hostile(name, strange)
        missing = [shard for shard in shards if shard not in there]
        if missing:
            said = f"{name} is not whole on the hub: it lacks {missing[0]}."
            raise EndpointFault("bad_response", said, f"{len(missing)} files are missing")
        return [there[shard] for shard in shards]
    for single in (_SINGLE, _ADAPTER):
        if single in there:
            return [there[single]]
    loose = [path for path in there if path.endswith(".safetensors") and _PLAIN.fullmatch(path)]
    others = [there[path] for path in loose]
    if not others:
        raise _nothing_to_run(name, there)
    return others


def _nothing_to_run(name: str, there: Iterable[str]) -> Fault:
    found = [path for path in there if path.endswith(_PICKLES)]
    if found:
        return EngineFault(
            "unsupported",
            f"{name} keeps its weights in {found[0]}, a Python pickle, which can run programs "
            "when it is opened; get a version of the model with safetensors files.",
        )
    for ending, kind in _FOREIGN:
        if any(path.endswith(ending) for path in there):
            return EngineFault(
                "unsupported",
                f"{name} holds {kind} files only; get the original model, with safetensors files.",
            )
    return EngineFault("unsupported", f"{name} holds no weights: there are no safetensors files.")


def _is_text(file: Listed) -> bool:
    wanted = file.path.endswith(_TEXTS) or file.path in _NAMED
    return wanted and bool(_PLAIN.fullmatch(file.path)) and file.size <= _LARGEST_TEXT


def _refuse_hostile(name: str, path: str) -> None:
    """A path must stay below the folder that it is joined to, on every system."""
    leads_out = any(part in ("", ".", "..") for part in path.split("/"))
    odd = "\\" in path or any(letter < " " for letter in path) or path[1:2] == ":"
    if leads_out or odd:
        raise _hostile(name, path)


def _hostile(name: str, path: str) -> Fault:
    return EndpointFault(
        "refused",
        f"The hub lists a file of {name} that would not stay in its folder ({path!r}), so "
        "nothing was fetched.",
    )


def _is_file(entry: Any, key: str, folder: str) -> bool:
    if not isinstance(entry, dict):
        raise ValueError("an entry is no object")
    return entry.get(key) != folder


def _hugging_file(entry: Mapping[str, Any]) -> Listed:
    large = entry.get("lfs")
    if isinstance(large, dict):
        return _listed(entry.get("path"), large.get("size", entry.get("size")), large.get("oid"))
    return _listed(entry.get("path"), entry.get("size"), blob=entry.get("oid"))


def _modelscope_file(entry: Mapping[str, Any]) -> Listed:
    return _listed(entry.get("Path"), entry.get("Size"), entry.get("Sha256"))


def _listed(path: Any, size: Any, sha256: Any = "", blob: Any = "") -> Listed:
    if not isinstance(path, str) or not isinstance(size, int) or not 0 <= size < 2**53:
        raise ValueError(f"{path!r} is no file")
    strong = str(sha256 or "").lower().removeprefix("sha256:")
    git = str(blob or "").lower()
    return Listed(
        path,
        size,
        strong if _SHA256.fullmatch(strong) else "",
        git if _SHA1.fullmatch(git) else "",
    )
