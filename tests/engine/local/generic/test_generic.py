from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import others
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, dynamic_module_utils

from app.engine.local.generate import Finish, Job, generate
from app.engine.local.generic.reading import Reading
from app.engine.local.model import Loading, Model, load
from app.engine.local.network import Prompt
from app.engine.request.turn import Turn
from app.vocabulary import EngineFault

TEXT = ("llama", "mistral", "gemma3_text", "lfm2", "mamba")
QUESTION = "What did the quick brown fox do to the lazy dog, and how often? Count it for me."


class Families:
    """The families' small checkpoints, each made and opened once."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.model = cache(self._model)
        self.stock = cache(self._stock)

    def folder(self, row: str) -> Path:
        folder = self._home / row
        return folder if folder.exists() else others.write(folder, row)

    def _model(self, row: str) -> Model:
        model = _open(self.folder(row))
        torch.set_num_threads(1)  # these models are too small for more
        return model

    def _stock(self, row: str) -> others.Stock:
        return others.Stock(self.folder(row))


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Families:
    return Families(tmp_path_factory.mktemp("families"))


def _open(folder: Path) -> Model:
    return load(Loading("m", folder, gpus=0, dtype=torch.float32))


def _prompt(text: str | Sequence[int]) -> Prompt:
    tokens = tuple(text.encode() if isinstance(text, str) else text)  # any tokens will do
    return Prompt("", tokens, tokens)


def _answer(
    model: Model, prompt: Prompt, count: int, *, part: int = 16, state: Reading | None = None
) -> list[int]:
    """The likeliest tokens, the prompt read in parts."""
    state = state or model.network.begin()
    while state.length < len(prompt.tokens):
        left = len(prompt.tokens) - state.length
        logits = model.network.read(state, prompt, min(part, left))
    written = [int(logits.argmax())]
    while len(written) < count:
        logits = model.network.step(state, written[-1:])[-1]
        written.append(int(logits.argmax()))
    return written


@pytest.mark.parametrize("row", TEXT)
def test_a_family_writes_what_transformers_writes(families: Families, row: str) -> None:
    prompt = _prompt(QUESTION)
    assert _answer(families.model(row), prompt, 64) == families.stock(row).answer(prompt.tokens, 64)


@pytest.mark.parametrize("row", TEXT)
def test_several_tokens_at_once_give_what_one_by_one_does(families: Families, row: str) -> None:
    network = families.model(row).network
    one, other = network.begin(), network.begin()
    for state in (one, other):
        while state.length < len(QUESTION):
            network.read(state, _prompt(QUESTION), len(QUESTION))
    singly = [network.step(one, (token,))[0] for token in (7, 8, 9)]
    at_once = network.step(other, (7, 8, 9))
    assert torch.allclose(torch.stack(singly), at_once, atol=1e-4, rtol=1e-4)
    assert one.length == other.length == len(QUESTION) + 3


@pytest.mark.parametrize("row", TEXT)
def test_two_conversations_do_not_know_each_other(families: Families, row: str) -> None:
    model = families.model(row)
    prompts = [_prompt(QUESTION), _prompt("Another one, longer than any window: " * 3)]
    alone = [_answer(model, prompt, 12) for prompt in prompts]
    states = [model.network.begin() for _ in prompts]
    written = []
    for state, prompt in zip(states, prompts, strict=True):
        written.append(_answer(model, prompt, 1, state=state))
    for _ in range(11):
        for state, tokens in zip(states, written, strict=True):
            tokens.append(int(model.network.step(state, tokens[-1:])[-1].argmax()))
    assert written == alone


def test_five_turns_go_on_in_what_was_read_before(families: Families) -> None:
    model, stock = families.model("llama"), families.stock("llama")
    state, talk = model.network.begin(), list(QUESTION.encode())
    for turn in range(5):
        known = state.length - 3 if turn else 0  # the last answer's end, written another way
        assert state.keep(known)
        written = _answer(model, _prompt(talk), 16, state=state)
        assert written == stock.answer(talk, 16)
        talk += [*written[:12], *f"And the {turn}th?".encode()]
        assert state.keep(len(talk) - 20)


def test_a_copy_goes_its_own_way(families: Families) -> None:
    model = families.model("llama")
    state = model.network.begin()
    _answer(model, _prompt(QUESTION), 8, state=state)
    other = state.copy(20)
    assert other is not None
    longer = QUESTION[:20] + "something else"
    assert _answer(model, _prompt(longer), 8, state=other) == _answer(model, _prompt(longer), 8)
    assert state.length == len(QUESTION) + 7


@pytest.mark.parametrize("row", ["mistral", "gemma3_text", "lfm2", "mamba"])
def test_what_can_not_be_wound_back_says_so(families: Families, row: str) -> None:
    network = families.model(row).network
    state = network.begin()
    network.read(state, _prompt(QUESTION), len(QUESTION))
    assert not state.keep(len(QUESTION) - 1)
    assert state.copy(10) is None
    assert state.length == len(QUESTION)


@pytest.mark.parametrize("row", TEXT)
def test_a_conversation_goes_on_where_it_ended(families: Families, row: str) -> None:
    model = families.model(row)
    state = model.network.begin()
    model.network.read(state, _prompt(QUESTION), len(QUESTION))
    longer = QUESTION + " And why?"
    assert _answer(model, _prompt(longer), 8, state=state) == _answer(model, _prompt(longer), 8)


def test_the_memory_that_a_conversation_takes_is_known(families: Families) -> None:
    network = families.model("llama").network
    state = network.begin()
    network.read(state, _prompt(QUESTION), len(QUESTION))
    # 2 layers of keys and values, 2 heads of 8 numbers, 4 bytes each
    assert network.token_bytes == 2 * 2 * 2 * 8 * 4
    assert state.bytes >= network.token_bytes * len(QUESTION)


def _copied(source: Path, place: Path, **generation: object) -> Path:
    shutil.copytree(source, place)
    if generation:
        (place / "generation_config.json").write_text(json.dumps(generation))
    return place


def _config(folder: Path, **changes: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_the_context_can_be_lowered_and_not_raised(tiny_folder: Path) -> None:
    assert load(Loading("m", tiny_folder, gpus=0, context=50)).defaults.context == 50
    assert load(Loading("m", tiny_folder, gpus=0, context=5000)).defaults.context == 128


def test_a_folders_own_ways_to_choose_and_end_an_answer_are_used(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = _copied(
        tiny_folder, tmp_path / "m", word_penalty=1.3, repeat_limit=9, stop_strings=["\nQ:"]
    )
    defaults = load(Loading("m", folder, gpus=0)).defaults
    assert (defaults.choice.word_penalty, defaults.repeat) == (1.3, 9)
    assert defaults.stop == ("\nQ:",)


def test_damaged_weights_are_one_sentence_that_names_the_file(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"\x00" * 64)
    with pytest.raises(EngineFault, match=r"model\.safetensors") as caught:
        load(Loading("m", folder, gpus=0))
    assert caught.value.kind == "damaged"


def test_weights_that_lack_a_tensor_are_not_filled_up(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    held = load_file(folder / "model.safetensors")
    del held["model.norm.weight"]
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EngineFault, match=r"lack model\.norm\.weight") as caught:
        load(Loading("m", folder, gpus=0))
    assert caught.value.kind == "damaged"


def test_a_tokenizer_that_is_missing_is_one_sentence_that_names_the_folder(
    tiny_folder: Path, tmp_path: Path
) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(EngineFault, match="may be damaged") as caught:
        load(Loading("m", folder, gpus=0))
    assert str(folder) in caught.value.message


def test_a_kind_that_nobody_knows_is_named(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    _config(folder, model_type="llama9")
    with pytest.raises(EngineFault, match="“llama9”") as caught:
        load(Loading("m", folder, gpus=0))
    assert caught.value.kind == "unsupported"


def test_a_kind_that_does_not_write_texts_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    _config(folder, model_type="t5")
    with pytest.raises(EngineFault, match="“t5”") as caught:
        load(Loading("m", folder, gpus=0))
    assert caught.value.kind == "unsupported"


def test_a_config_that_can_not_be_read_is_one_sentence(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    (folder / "config.json").write_text("{")
    with pytest.raises(EngineFault, match=r"no config\.json that can be read"):
        load(Loading("m", folder, gpus=0))


def test_pickled_weights_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _copied(tiny_folder, tmp_path / "m")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(EngineFault, match=r"(?i)pickle") as caught:
        load(Loading("m", folder, gpus=0))
    assert caught.value.kind == "unsupported"


def test_more_gpus_than_there_are_is_one_sentence(tiny_folder: Path) -> None:
    with pytest.raises(EngineFault, match="--gpus asks for 99"):
        load(Loading("m", tiny_folder, gpus=99))


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")  # of PEFT
def test_an_adapter_changes_the_answer_as_peft_does(families: Families, tmp_path: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(families.folder("llama"), dtype=torch.float32)
    settings = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "down_proj"])
    tuned = get_peft_model(base, settings)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_" in name:
                parameter.normal_(0, 0.3)
    tuned.save_pretrained(tmp_path / "adapter")
    tokens = torch.tensor([list(QUESTION.encode())])
    with torch.inference_mode():
        expected = tuned(tokens).logits[0, -1]
    loading = Loading("m", families.folder("llama"), gpus=0, dtype=torch.float32)
    network = load(replace(loading, adapter=tmp_path / "adapter")).network
    logits = network.read(network.begin(), _prompt(QUESTION), len(QUESTION))
    plain = families.model("llama").network
    assert torch.allclose(logits, expected, atol=1e-4)
    assert not torch.allclose(
        logits, plain.read(plain.begin(), _prompt(QUESTION), len(QUESTION)), atol=0.1
    )


def _with_code(source: Path, place: Path) -> Path:
    """A model of a kind of its own with the code in its folder, which leaves a trace if it runs."""
    folder = _copied(source, place)
    code = (
        "from pathlib import Path\n"
        "from transformers import LlamaConfig, LlamaForCausalLM\n"
        f"Path({str(folder / 'ran')!r}).touch()\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own'\n"
        "class OwnModel(LlamaForCausalLM):\n    config_class = OwnConfig\n"
    )
    (folder / "own.py").write_text(code)
    kinds = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnModel"}
    _config(folder, model_type="own", auto_map=kinds)
    return folder


def test_code_that_a_model_brings_is_not_run(tiny_folder: Path, tmp_path: Path) -> None:
    folder = _with_code(tiny_folder, tmp_path / "m")
    with pytest.raises(EngineFault, match=r"sightline\.json") as caught:
        load(Loading("m", folder, gpus=0))
    assert caught.value.kind == "unsupported"
    assert not (folder / "ran").exists()


def test_code_that_the_user_allowed_is_run(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = _with_code(tiny_folder, tmp_path / "m")
    (folder / "sightline.json").write_text('{"remote_code": true}')
    model = load(Loading("m", folder, gpus=0, dtype=torch.float32))
    assert (folder / "ran").exists()
    assert _answer(model, _prompt("hi"), 4) == others.Stock(tiny_folder).answer(b"hi", 4)


@pytest.mark.slow
def test_the_built_in_model_gives_nearly_the_same_logits_packed(built_in: Path) -> None:
    model = load(Loading("built-in", built_in, gpus=0))
    tokens = model.chat.encode("The invoice number is 2026-0417 and the total due is")
    state = model.network.begin()
    ours = model.network.read(state, _prompt(tokens), len(tokens)).float()
    exact = AutoModelForCausalLM.from_pretrained(built_in, dtype=torch.float32)
    with torch.inference_mode():
        theirs = exact(torch.tensor([tokens])).logits[0, -1]
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.99
    assert ours.argmax() == theirs.argmax()


@pytest.mark.slow
def test_the_built_in_model_does_not_repeat_itself_endlessly(built_in: Path) -> None:
    model = load(Loading("built-in", built_in, gpus=0))
    question = "List the buttons.\nBackup Assistant\nTry again\nChoose another drive\nCancel"
    prompt = model.chat.prompt([Turn("user", (question,))], {})
    *_, finish = generate(model, Job(prompt, 400, model.defaults.choice), lambda: False)
    assert isinstance(finish, Finish)
    assert finish.reason == "stop"
