from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import save_file

from app.engine.headers import INDEX, checkpoint_bytes, contents, tensors
from app.engine.local.weights.shards import Progress, Shards
from app.engine.local.weights.share import Slab, take
from app.vocabulary import EngineFault

CPU = torch.device("cpu")
SECOND = "model-00002-of-00002.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of two shards."""
    folder = tmp_path / "Some-9B"
    folder.mkdir()
    shards = {
        "model-00001-of-00002.safetensors": {"a": torch.arange(6.0).view(2, 3)},
        SECOND: {"b": torch.ones(40).bfloat16(), "c": torch.tensor(7, dtype=torch.int64)},
    }
    for name, held in shards.items():
        save_file(held, folder / name, metadata={"format": "pt"})
    places = {tensor: name for name, held in shards.items() for tensor in held}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def test_a_folder_says_what_it_holds_without_being_read(folder: Path) -> None:
    held = contents(folder)
    assert {name: (header.dtype, header.shape, header.bytes) for name, header in held.items()} == {
        "a": ("F32", (2, 3), 24),
        "b": ("BF16", (40,), 80),
        "c": ("I64", (), 8),
    }
    assert checkpoint_bytes(folder) == 112
    assert held["b"].file == folder / SECOND


# --- what is wrong with a folder --------------------------------------------------------------


def _cut(length: int) -> Callable[[Path], None]:
    return lambda file: os.truncate(file, file.stat().st_size + length)


def _zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")


def _header(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        raw = file.read_bytes()
        length = int.from_bytes(raw[:8], "little")
        said = json.loads(raw[8 : 8 + length])
        change(said)
        header = json.dumps(said).encode()
        file.write_bytes(len(header).to_bytes(8, "little") + header + raw[8 + length :])

    return damage


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "gone": (Path.unlink, "is missing"),
    "of no bytes": (lambda file: file.write_bytes(b"") and None, "is empty"),
    "of five bytes": (lambda file: file.write_bytes(b"12345") and None, "is no safetensors file"),
    "all zeros": (_zeros, "is no safetensors file"),
    "a web page": (lambda file: file.write_text("<html>502</html>") and None, "is no safetensors"),
    "Git's note": (
        lambda file: file.write_text("version https://git-lfs.github.com/spec/v1\n") and None,
        "is only Git's note",
    ),
    "cut by a byte": (_cut(-1), r"is cut short \(\d+ of \d+ bytes\)"),
    "cut in its header": (lambda file: os.truncate(file, 40), "is cut short"),
    "too long": (_longer, "is not what its header says"),
    "with a garbled header": (
        lambda file: (
            file.write_bytes((20).to_bytes(8, "little") + b'{"b": {"dtype": "F3' * 9) and None
        ),
        "has a garbled header",
    ),
    "with a list for a header": (
        lambda file: file.write_bytes((7).to_bytes(8, "little") + b"[1,2,3]") and None,
        "has a garbled header",
    ),
    "with a bottomless header": (
        lambda file: file.write_bytes((60000).to_bytes(8, "little") + b"[" * 60000) and None,
        "has a garbled header",
    ),
    "with a strange type": (
        _header(lambda said: said["b"].update(dtype="F5")),
        "has a garbled header",
    ),
    "with a wrong shape": (
        _header(lambda said: said["b"].update(shape=[41])),
        "has a garbled header",
    ),
    "with a negative place": (
        _header(lambda said: said["b"].update(data_offsets=[-80, 0])),
        "has a garbled header",
    ),
    "with tensors on top of each other": (
        _header(lambda said: said["b"].update(data_offsets=[0, 80])),
        "is not what its header says",
    ),
    "without a tensor of the index": (
        _header(lambda said: said.update({"d": said.pop("c")})),
        "lacks the tensor c",
    ),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_shard_is_named_with_the_remedy(
    folder: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(folder / SECOND)
    with pytest.raises(EngineFault, match=words) as caught:
        contents(folder)
    assert caught.value.kind == "damaged"
    assert SECOND in caught.value.message
    assert "`sightline models get Some-9B`" in caught.value.message


def test_of_several_missing_shards_the_first_is_named(folder: Path) -> None:
    for file in folder.glob("*.safetensors"):
        file.unlink()
    with pytest.raises(EngineFault, match=r"model-00001-of-00002.* and 1 more of its files"):
        contents(folder)


@pytest.mark.parametrize(
    "index",
    ["", "{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {}}', "[" * 60000],
    ids=["empty", "half", "a list", "no map", "no names", "no tensors", "bottomless"],
)
def test_an_index_that_makes_no_sense_is_named(folder: Path, index: str) -> None:
    (folder / INDEX).write_text(index)
    with pytest.raises(EngineFault, match=INDEX) as caught:
        contents(folder)
    assert caught.value.kind == "damaged"


def test_an_index_can_not_lead_out_of_its_folder(folder: Path) -> None:
    save_file({"a": torch.zeros(1)}, folder.parent / "other.safetensors")
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": "../other.safetensors"}}))
    with pytest.raises(EngineFault, match="names no files of its own folder"):
        contents(folder)


def test_shards_without_their_index_are_no_checkpoint(folder: Path) -> None:
    (folder / INDEX).unlink()
    with pytest.raises(EngineFault, match=f"{INDEX} .*is missing"):
        contents(folder)


def test_a_single_file_needs_no_index(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3)}, tmp_path / "model.safetensors")
    save_file({"x": torch.zeros(3)}, tmp_path / "adapter_model.safetensors")
    assert set(contents(tmp_path)) == {"a"}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.pt"])
def test_pickles_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04N.")
    with pytest.raises(EngineFault, match=f"{name}, a Python pickle") as caught:
        contents(tmp_path)
    assert caught.value.kind == "unsupported"


def test_an_empty_folder_lacks_its_weights(tmp_path: Path) -> None:
    with pytest.raises(EngineFault, match=r"model\.safetensors .*is missing"):
        contents(tmp_path)


# --- reading ----------------------------------------------------------------------------------


def test_every_type_is_read_as_it_was_written(tmp_path: Path) -> None:
    types = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn]
    types += [torch.float8_e5m2, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
    written = {str(kind): (torch.rand(3, 5) * 100).to(kind) for kind in types}
    written |= {"bool": torch.rand(7) > 0.5, "one": torch.tensor(3.5), "none": torch.empty(0, 4)}
    save_file(written, tmp_path / "all.safetensors")
    shards = Shards(tensors(tmp_path / "all.safetensors"), CPU)
    for name, tensor in written.items():
        read = shards.read(name)
        assert (read.dtype, read.shape) == (tensor.dtype, tensor.shape)
        assert read.reshape(-1).view(torch.uint8).equal(tensor.reshape(-1).view(torch.uint8))
    shards.close()


def test_a_type_that_torch_lacks_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(4, dtype=torch.uint8)}, tmp_path / "a.safetensors")
    _header(lambda said: said["a"].update(dtype="F4", shape=[8]))(tmp_path / "a.safetensors")
    with pytest.raises(EngineFault, match="holds F4 numbers") as caught:
        Shards(tensors(tmp_path / "a.safetensors"), CPU).read("a")
    assert caught.value.kind == "unsupported"


def test_a_file_that_shrinks_while_it_is_read_is_an_error_that_can_be_said(folder: Path) -> None:
    shards = Shards(contents(folder), CPU)
    os.truncate(folder / SECOND, 100)
    with pytest.raises(EngineFault, match=f"{SECOND} .*can't be read") as caught:
        shards.read("b")
    shards.close()
    assert caught.value.kind == "damaged"


def test_what_was_read_does_not_hang_on_its_file(folder: Path) -> None:
    shards = Shards(contents(folder), CPU)
    read = shards.read("a")
    shards.close()
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"")
    assert read.equal(torch.arange(6.0).view(2, 3))


# --- reading a part -----------------------------------------------------------------------------

SLABS = {
    "rows": ((300, 1000), Slab(-2, (slice(100, 200),))),
    "rows of two halves": ((600, 1000), Slab(-2, (slice(75, 150), slice(375, 450)))),
    "no rows": ((300, 10), Slab(-2, (slice(300, 300),))),
    "columns": ((300, 1000), Slab(-1, (slice(250, 500),))),
    "columns of many lines": ((41_000, 200), Slab(-1, (slice(50, 100),))),  # 33 MB: two chunks
    "long runs of few lines": ((3, 400_000), Slab(-1, (slice(100_000, 300_000),))),
    "rows of a stack": ((4, 300, 1000), Slab(-2, (slice(0, 100),))),
    "rows of two halves of a stack": ((3, 80, 90), Slab(-2, (slice(10, 20), slice(50, 60)))),
    "columns of a stack": ((4, 300, 100), Slab(-1, (slice(75, 100),))),
}


@pytest.mark.parametrize(("shape", "slab"), SLABS.values(), ids=SLABS.keys())
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float8_e4m3fn], ids=str)
def test_a_slab_is_what_the_whole_has_there(
    tmp_path: Path, shape: tuple[int, ...], slab: Slab, dtype: torch.dtype
) -> None:
    bits = torch.randint(0, 256, (*shape, dtype.itemsize), dtype=torch.uint8)
    whole = bits.view(dtype).squeeze(-1)
    save_file({"before": torch.zeros(3), "a": whole}, tmp_path / "a.safetensors")
    shards = Shards(tensors(tmp_path / "a.safetensors"), CPU)
    read, true = shards.read("a", slab), take(whole, slab).contiguous()
    shards.close()
    assert (read.dtype, read.shape) == (true.dtype, true.shape)
    assert read.view(torch.uint8).equal(true.view(torch.uint8))


def test_rows_are_read_without_the_others(tmp_path: Path) -> None:
    def read() -> int:
        return int(psutil.Process().io_counters().read_chars)

    if not hasattr(psutil.Process().io_counters(), "read_chars"):
        pytest.skip("this system does not count what is read")
    save_file({"a": torch.rand(4000, 1000)}, tmp_path / "a.safetensors")  # 16 MB
    shards = Shards(tensors(tmp_path / "a.safetensors"), CPU)
    before = read()
    shards.read("a", Slab(-2, (slice(1000, 2000),)))
    assert 4_000_000 <= read() - before < 4_100_000
    shards.close()


def test_what_is_left_out_counts_as_read(tmp_path: Path) -> None:
    said: list[float | None] = []
    clock = _Clock()
    save_file({"a": torch.rand(400, 1000), "b": torch.rand(400, 100)}, tmp_path / "a.safetensors")
    progress = Progress(lambda _, done, __: said.append(done), "m", total=1_760_000, clock=clock)
    shards = Shards(tensors(tmp_path / "a.safetensors"), CPU, progress)
    for name, dim in (("a", -2), ("b", -1)):
        clock.now += 1
        shards.read(name, Slab(dim, (slice(25, 50),)))
    shards.close()
    assert said == [1_600_000 / 1_760_000, 1.0]


def test_a_file_that_shrinks_while_several_threads_read_it_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    save_file({"a": torch.rand(2000, 1000)}, file)  # 8 MB
    shards = Shards(tensors(file), CPU)
    os.truncate(file, 5_000_000)
    with pytest.raises(EngineFault, match="can't be read"):
        shards.read("a")
    shards.close()


# --- progress ---------------------------------------------------------------------------------


class _Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_progress_is_said_five_times_a_second_at_most() -> None:
    said: list[float | None] = []
    clock = _Clock()
    progress = Progress(lambda _, done, __: said.append(done), "m", total=1000, clock=clock)
    for _ in range(1000):
        clock.now += 0.001
        progress.add(1)
    assert len(said) == 5
    assert said == sorted(said, key=float)


def test_progress_tells_bytes_and_the_seconds_left() -> None:
    said: list[tuple[str, float | None, str]] = []
    clock = _Clock()
    gigabyte = 2**30
    progress = Progress(
        lambda *report: said.append(report), "GLM", total=40 * gigabyte, clock=clock
    )
    for _ in range(2):
        clock.now += 1.5
        progress.add(5 * gigabyte)
    assert said == [
        ("loading", 0.125, "Loading GLM: 5.0 GB of 40 GB"),
        ("loading", 0.25, "Loading GLM: 10 GB of 40 GB, 9 s left"),
    ]


def test_reading_a_folder_reports_its_bytes(folder: Path) -> None:
    said: list[float | None] = []
    clock = _Clock()
    progress = Progress(lambda _, done, __: said.append(done), "m", total=112, clock=clock)
    shards = Shards(contents(folder), CPU, progress)
    for name in ("a", "b", "c"):
        clock.now += 1
        shards.read(name)
    shards.close()
    assert said == [24 / 112, 104 / 112, 1.0]
