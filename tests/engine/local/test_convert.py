from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter, quants
from safetensors.numpy import load_file
from tokenizers import Tokenizer, pre_tokenizers

from app.engine.local.convert import convert, renew
from app.vocabulary import EngineFault

HIDDEN, INNER, HEADS, KV_HEADS = 64, 96, 4, 2
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 257 + len(MARKS)


def _weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    kv = HIDDEN * KV_HEADS // HEADS
    shapes = {
        "token_embd": (VOCABULARY, HIDDEN),
        "output_norm": (HIDDEN,),
        "blk.0.attn_norm": (HIDDEN,),
        "blk.0.attn_q": (HIDDEN, HIDDEN),
        "blk.0.attn_k": (kv, HIDDEN),
        "blk.0.attn_v": (kv, HIDDEN),
        "blk.0.attn_output": (HIDDEN, HIDDEN),
        "blk.0.ffn_norm": (HIDDEN,),
        "blk.0.ffn_gate": (INNER, HIDDEN),
        "blk.0.ffn_up": (INNER, HIDDEN),
        "blk.0.ffn_down": (HIDDEN, INNER),
    }
    return {name: random.standard_normal(s).astype(np.float32) for name, s in shapes.items()}


def write_gguf(path: Path, architecture: str = "llama") -> dict[str, np.ndarray]:
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(1)
    writer.add_context_length(256)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([*MARKS, *sorted(pre_tokenizers.ByteLevel.alphabet()), "ab"])
    writer.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * 257)
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{{ messages }}")
    weights = _weights()
    for name, weight in weights.items():
        if weight.ndim == 2:
            packed = quants.quantize(weight, GGMLQuantizationType.Q4_1)
            writer.add_tensor(f"{name}.weight", packed, raw_dtype=GGMLQuantizationType.Q4_1)
            weights[name] = quants.dequantize(packed, GGMLQuantizationType.Q4_1)
        else:
            writer.add_tensor(f"{name}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


@pytest.fixture
def converted(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray]]:
    weights = write_gguf(tmp_path / "m.gguf")
    folder = tmp_path / "m"
    folder.mkdir()
    convert(tmp_path / "m.gguf", folder, lambda _: None)
    return folder, weights


def test_the_weights_are_those_of_the_file(converted: tuple[Path, dict[str, np.ndarray]]) -> None:
    folder, weights = converted
    found = load_file(folder / "model.safetensors")
    for ours, theirs in [
        ("model.embed_tokens", "token_embd"),
        ("model.layers.0.mlp.down_proj", "blk.0.ffn_down"),
        ("model.layers.0.self_attn.v_proj", "blk.0.attn_v"),
    ]:
        np.testing.assert_allclose(found[f"{ours}.weight"], weights[theirs], atol=2e-3)


def test_the_rows_of_a_head_are_put_in_halves(
    converted: tuple[Path, dict[str, np.ndarray]],
) -> None:
    folder, weights = converted
    found = load_file(folder / "model.safetensors")["model.layers.0.self_attn.q_proj.weight"]
    np.testing.assert_allclose(found[1], weights["blk.0.attn_q"][2], atol=2e-3)
    np.testing.assert_allclose(found[8], weights["blk.0.attn_q"][1], atol=2e-3)


def test_the_config_has_what_the_file_says(
    converted: tuple[Path, dict[str, np.ndarray]],
) -> None:
    config = json.loads((converted[0] / "config.json").read_text())
    assert (config["num_key_value_heads"], config["max_position_embeddings"]) == (2, 256)
    assert (config["quantised_from"], config["tie_word_embeddings"]) == ("Q4_1", True)


def test_the_tokenizer_gives_text_back(converted: tuple[Path, dict[str, np.ndarray]]) -> None:
    tokenizer = Tokenizer.from_file(str(converted[0] / "tokenizer.json"))
    text = "ab €5 支"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert tokenizer.encode("<|im_end|>").ids == [2]


def test_progress_only_grows_and_ends_whole(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf")
    (tmp_path / "m").mkdir()
    seen: list[float] = []
    convert(tmp_path / "m.gguf", tmp_path / "m", seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    write_gguf(tmp_path / "m.gguf", architecture="mamba")
    with pytest.raises(EngineFault, match="can't be converted"):
        convert(tmp_path / "m.gguf", tmp_path, lambda _: None)


def _settings(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "generation_config.json").read_text())
    return found


def test_an_older_conversion_gets_todays_settings(
    converted: tuple[Path, dict[str, np.ndarray]],
) -> None:
    folder, _ = converted
    today = _settings(folder)
    old = {"do_sample": False, "eos_token_id": 2, "repeat_limit": 16}
    (folder / "generation_config.json").write_text(json.dumps(old))
    renew(folder)
    assert _settings(folder) == today
    assert not list(folder.glob(".*"))


def test_a_newer_conversion_keeps_its_settings(
    converted: tuple[Path, dict[str, np.ndarray]],
) -> None:
    newer = {"settings_version": 999, "word_penalty": 1.5}
    (converted[0] / "generation_config.json").write_text(json.dumps(newer))
    renew(converted[0])
    assert _settings(converted[0]) == newer


def test_a_folder_of_somebody_else_keeps_its_settings(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"eos_token_id": 2}')
    (tmp_path / "generation_config.json").write_text('{"temperature": 0.6}')
    renew(tmp_path)
    assert _settings(tmp_path) == {"temperature": 0.6}
