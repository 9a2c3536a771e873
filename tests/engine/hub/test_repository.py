from __future__ import annotations

import pytest

from app.engine.hub.repository import read_name
from app.vocabulary import UsageFault

GLM = "zai-org/GLM-4.5V"


@pytest.mark.parametrize(
    ("typed", "hub", "listing"),
    [
        (GLM, "huggingface", f"https://huggingface.co/api/models/{GLM}/tree/main?recursive=true"),
        (
            f"https://huggingface.co/{GLM}",
            "huggingface",
            f"https://huggingface.co/api/models/{GLM}/tree/main?recursive=true",
        ),
        (
            f"huggingface.co/{GLM}/tree/v2/sub",
            "huggingface",
            f"https://huggingface.co/api/models/{GLM}/tree/v2?recursive=true",
        ),
        (
            f"https://huggingface.co/{GLM}/blob/main/config.json?x=1#a",
            "huggingface",
            f"https://huggingface.co/api/models/{GLM}/tree/main?recursive=true",
        ),
        (
            f"{GLM}@refs/pr/3",
            "huggingface",
            f"https://huggingface.co/api/models/{GLM}/tree/refs%2Fpr%2F3?recursive=true",
        ),
        (
            "gpt2",
            "huggingface",
            "https://huggingface.co/api/models/gpt2/tree/main?recursive=true",
        ),
        (
            f"https://hf-mirror.com/{GLM}",
            "huggingface",
            f"https://hf-mirror.com/api/models/{GLM}/tree/main?recursive=true",
        ),
        (
            "modelscope:ZhipuAI/GLM-4.5V",
            "modelscope",
            "https://modelscope.cn/api/v1/models/ZhipuAI/GLM-4.5V/repo/files"
            "?Revision=master&Recursive=true",
        ),
        (
            "https://www.modelscope.cn/models/ZhipuAI/GLM-4.5V/files",
            "modelscope",
            "https://modelscope.cn/api/v1/models/ZhipuAI/GLM-4.5V/repo/files"
            "?Revision=master&Recursive=true",
        ),
        (
            "https://modelscope.ai/models/ZhipuAI/GLM-4.5V",
            "modelscope",
            "https://modelscope.ai/api/v1/models/ZhipuAI/GLM-4.5V/repo/files"
            "?Revision=master&Recursive=true",
        ),
    ],
)
def test_what_people_type_or_paste_names_a_model(typed: str, hub: str, listing: str) -> None:
    repository = read_name(typed, {})
    assert (repository.hub, repository.listing()) == (hub, listing)
    assert repository.asked == typed


def test_files_have_addresses_of_their_own_on_each_hub() -> None:
    assert read_name(GLM, {}).file("a b.json") == (
        f"https://huggingface.co/{GLM}/resolve/main/a%20b.json"
    )
    assert read_name(f"modelscope:{GLM}", {}).file("config.json") == (
        f"https://modelscope.cn/models/{GLM}/resolve/master/config.json"
    )


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "/",
        "..",
        "a/../b",
        "../etc/passwd",
        "/etc/passwd",
        "a/b/c",
        "a b",
        "https://huggingface.co/datasets/a/b",
        "https://huggingface.co/",
        "ftp://huggingface.co/a/b",
        "http://[::1/a/b",
        "modelscope:GLM",
        "a/b@../c",
        "a/b\n",
        "owner/name?x=1",
    ],
)
def test_what_is_no_name_says_what_one_looks_like(typed: str) -> None:
    if typed == "a/b\n":
        assert read_name(typed, {}).name == "a/b"  # a line break behind it is the terminal's
        return
    with pytest.raises(UsageFault, match="is not the name of a model") as caught:
        read_name(typed, {})
    assert caught.value.kind == "bad_input"


def test_a_mirror_takes_the_place_of_hugging_face() -> None:
    known = {"HF_ENDPOINT": "https://mirror.example/hf/", "HF_TOKEN": "hf_x"}
    for typed in (GLM, f"https://huggingface.co/{GLM}", f"https://mirror.example/hf/{GLM}"):
        repository = read_name(typed, known)
        assert repository.file("a") == f"https://mirror.example/hf/{GLM}/resolve/main/a"
        assert repository.token == "hf_x"


def test_a_token_goes_to_no_endpoint_but_its_own_and_over_no_open_line() -> None:
    token = {"HF_TOKEN": "hf_x", "MODELSCOPE_API_TOKEN": "ms_x"}
    assert read_name(GLM, token).token == "hf_x"
    assert read_name(f"modelscope:{GLM}", token).token == "ms_x"
    assert read_name(f"https://elsewhere.example/{GLM}", token).token == ""
    assert read_name(GLM, {**token, "HF_ENDPOINT": "http://mirror.example"}).token == ""
    assert read_name(GLM, {**token, "HF_ENDPOINT": "http://127.0.0.1:8000"}).token == "hf_x"


def test_no_secret_is_shown() -> None:
    assert "hf_x" not in repr(read_name(GLM, {"HF_TOKEN": "hf_x"}))
    with pytest.raises(UsageFault) as caught:
        read_name(GLM, {"HF_TOKEN": "hf secret"})
    assert "secret" not in caught.value.message and "HF_TOKEN" in caught.value.message
    with pytest.raises(UsageFault) as caught:
        read_name(f"https://me:secret@huggingface.co/{GLM}", {})
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://x", "https://me:pw@host", "http://a:b"])
def test_an_endpoint_that_is_none_is_named_by_its_variable(endpoint: str) -> None:
    with pytest.raises(UsageFault, match="HF_ENDPOINT") as caught:
        read_name(GLM, {"HF_ENDPOINT": endpoint})
    assert "pw" not in caught.value.message
