from __future__ import annotations

import json
from pathlib import Path

import pytest
from hub import safetensors

from app.engine.fit.family import FAMILY, need, parameters
from app.engine.fit.machine import Gpu, Machine, look, read_gpus
from app.engine.fit.need import Need, need_of
from app.engine.fit.verdict import fit
from app.engine.models import find

GB = 1 << 30
H200 = Gpu("NVIDIA H200", 140 * GB, 139 * GB)
DESK = Machine((), 64 * GB, 60 * GB, 8, 50e9, short=True)
BY_NAME = {member.name: need(member) for member in FAMILY}


def machine(*gpus: Gpu, memory: int = 32 * GB, short: bool = True) -> Machine:
    return Machine(gpus, memory, memory, 8, 50e9, short)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("GLM-4.5V", 107_710_933_120),
        ("GLM-4.1V-9B-Thinking", 10_292_777_472),
        ("GLM-4.5-Air-FP8", 110_468_824_832),
    ],
)
def test_the_family_has_the_published_number_of_parameters(name: str, count: int) -> None:
    member = next(member for member in FAMILY if member.name == name)
    assert parameters(member.shape) == count


def test_a_token_reads_what_it_reads_in_the_published_models() -> None:
    assert BY_NAME["GLM-4.5V-FP8"].active == pytest.approx(13.4e9, rel=0.01)
    assert BY_NAME["GLM-4.1V-9B-Thinking"].active == pytest.approx(17.6e9, rel=0.01)
    assert (BY_NAME["GLM-4.5V"].token, BY_NAME["GLM-4.1V-9B-Thinking"].token) == (188_416, 40_960)


@pytest.mark.parametrize(
    ("name", "there", "where", "gpus"),
    [
        ("GLM-4.5V-FP8", machine(H200), "gpu", 1),
        ("GLM-4.5V", machine(H200), "nowhere", 2),
        ("GLM-4.5V", machine(H200, H200), "gpus", 2),
        ("GLM-4.5V", machine(H200, memory=256 * GB), "cpu", 0),
        ("GLM-4.1V-9B-Thinking", machine(Gpu("RTX 4090", 24 * GB, 23 * GB)), "gpu", 1),
        ("GLM-4.1V-9B-Thinking", machine(), "cpu", 0),
        ("GLM-4.1V-9B-Thinking", machine(short=False), "nowhere", 0),
        ("GLM-4.1V-9B-Thinking, AWQ", machine(memory=16 * GB), "cpu", 0),
        ("GLM-4.1V-9B-Thinking", machine(memory=8 * GB), "nowhere", 0),
    ],
)
def test_each_machine_holds_what_it_can(name: str, there: Machine, where: str, gpus: int) -> None:
    found = fit(BY_NAME[name], there, 16_384)
    assert (found.where, found.gpus) == (where, gpus)


def test_memory_that_others_use_is_told_apart_from_memory_that_is_not_there() -> None:
    used = machine(Gpu("NVIDIA H200", 140 * GB, 20 * GB))
    found = fit(BY_NAME["GLM-4.5V-FP8"], used, 16_384)
    assert (found.where, found.busy) == ("gpu", True)
    assert found.needed > found.free


def test_a_longer_conversation_needs_more_and_no_more_than_the_model_can_hold() -> None:
    glm = BY_NAME["GLM-4.5V-FP8"]
    short, long = fit(glm, machine(H200), 1000), fit(glm, machine(H200), 50_000)
    assert long.needed - short.needed == 49_000 * 188_416
    assert fit(glm, machine(H200), 10**9).context == 65_536


def test_the_pace_is_below_what_the_memory_allows() -> None:
    found = fit(BY_NAME["GLM-4.5V-FP8"], machine(H200), 16_384)
    assert found.pace is not None
    assert 0.5 * 190 < found.pace < 1.5 * 190  # measured at 4,096 tokens
    assert fit(BY_NAME["GLM-4.5V-FP8"], machine(Gpu("Mystery", 140 * GB, 139 * GB)), 1).pace is None


def test_a_processor_without_short_numbers_reads_twice_as_much() -> None:
    glm = BY_NAME["GLM-4.1V-9B-Thinking"]
    quick = fit(glm, machine(memory=64 * GB), 4096).pace
    slow = fit(glm, machine(memory=64 * GB, short=False), 4096).pace
    assert quick is not None and slow is not None
    assert quick == pytest.approx(2 * slow)


def test_what_nvidia_smi_says_is_read_with_and_without_units() -> None:
    plain = "NVIDIA H100 80GB HBM3, 81559, 81079\nNVIDIA H100 80GB HBM3, 81559, 12\n"
    dressed = "name, memory.total [MiB], memory.free [MiB]\nTesla T4, 15360 MiB, 15000 MiB\n"
    assert [gpu.free for gpu in read_gpus(plain)] == [81_079 << 20, 12 << 20]
    assert read_gpus(dressed) == (Gpu("Tesla T4", 15_360 << 20, 15_000 << 20),)
    assert read_gpus(plain)[0].bandwidth == 3.35e12
    assert read_gpus("NVIDIA GB10, [N/A], [N/A]\nNo devices were found\n") == ()


def test_this_machine_is_looked_at_in_a_moment() -> None:
    found = look(lambda: "NVIDIA L4, 23034, 22600")
    assert found.gpus[0].name == "NVIDIA L4"
    assert 0 < found.free <= found.memory
    assert found.cores >= 1
    assert 1e8 < found.bandwidth < 1e13


CONFIG = {
    "model_type": "glm4v_moe",
    "vision_config": {},
    "text_config": {
        "num_hidden_layers": 2,
        "hidden_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "n_routed_experts": 8,
        "num_experts_per_tok": 2,
        "max_position_embeddings": 4096,
    },
}


def shard(**shapes: tuple[str, int]) -> bytes:
    """A safetensors file of these tensors: dtype, bytes."""
    width, place, header = {"BF16": 2, "F8_E4M3": 1, "F32": 4}, 0, {}
    for name, (dtype, size) in shapes.items():
        where = [place, place + size]
        header[name] = {"dtype": dtype, "shape": [size // width[dtype]], "data_offsets": where}
        place += size
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + bytes(place)


def installed(tmp_path: Path, name: str, files: dict[str, bytes]) -> Need | None:
    folder = tmp_path / "models" / name
    folder.mkdir(parents=True)
    for path, content in files.items():
        (folder / path).write_bytes(content)
    return need_of(find(name, tmp_path))


def test_a_model_that_is_here_is_measured_by_its_files(tmp_path: Path) -> None:
    layer = "model.language_model.layers"
    weights = shard(
        **{
            "model.language_model.embed_tokens.weight": ("BF16", 1000),
            "lm_head.weight": ("BF16", 1000),
            "model.visual.blocks.0.attn.qkv.weight": ("BF16", 400),
            f"{layer}.0.self_attn.q_proj.weight": ("F8_E4M3", 100),
            f"{layer}.1.mlp.experts.0.up_proj.weight": ("F8_E4M3", 800),
            f"{layer}.1.mlp.shared_experts.up_proj.weight": ("F8_E4M3", 50),
            f"{layer}.2.mlp.experts.0.up_proj.weight": ("F8_E4M3", 640),
        }
    )
    found = installed(
        tmp_path, "moe", {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": weights}
    )
    assert found is not None
    assert (found.plain, found.packed) == (2400, 1590)
    assert found.active_plain == 1000
    assert found.active_packed == 100 + 800 * 2 // 8 + 50  # the layer behind the last only drafts
    assert (found.token, found.context, found.here) == (2 * 2 * 2 * 32 * 2, 4096, True)


def test_an_adapter_needs_its_base_and_itself(tmp_path: Path) -> None:
    base = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": safetensors(b"b" * 90)}
    installed(tmp_path, "base", base)
    adapter = {
        "adapter_config.json": b'{"base_model_name_or_path": "owner/base"}',
        "adapter_model.safetensors": safetensors(b"a" * 10),
    }
    found = installed(tmp_path, "lora", adapter)
    assert found is not None and found.weights == 100
    lost = {**adapter, "adapter_config.json": b'{"base_model_name_or_path": "owner/gone"}'}
    assert installed(tmp_path, "orphan", lost) is None
