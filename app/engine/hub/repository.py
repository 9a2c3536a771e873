"""Which model of which hub is meant, from what people type or paste; no network, no disk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from app.engine.address import is_near
from app.vocabulary import UsageFault

Hub = Literal["huggingface", "modelscope"]

_PREFIX = "modelscope:"
_HUGGING_FACE = "https://huggingface.co"
_MODELSCOPE = "https://modelscope.cn"
_HUGGING_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
_MODELSCOPE_HOSTS = ("modelscope.cn", "www.modelscope.cn")
_ABROAD = ("modelscope.ai", "www.modelscope.ai")  # ModelScope's other site, with its own models
_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?:{_PART}/)?{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_VIEWS = ("tree", "blob", "resolve", "file")  # parts of a page's address before a revision


@dataclass(frozen=True, slots=True)
class Repository:
    """A model on a hub. `name` is `owner/name`; `endpoint` has no slash at its end; `token` is
    for that endpoint alone; `asked` is what to type to get it again."""

    hub: Hub
    endpoint: str
    name: str
    revision: str
    asked: str
    token: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).netloc

    @property
    def source(self) -> str:
        """Where it comes from, without how it is asked for: the same for every way to type it."""
        return f"{self.hub}:{self.name}@{self.revision}"

    @property
    def page(self) -> str:
        """The page on which its licence is accepted."""
        between = "/models" if self.hub == "modelscope" else ""
        return f"{self.endpoint}{between}/{self.name}"

    @property
    def token_variable(self) -> str:
        return "HF_TOKEN" if self.hub == "huggingface" else "MODELSCOPE_API_TOKEN"

    @property
    def folders(self) -> tuple[str, ...]:
        """What its folder is called: the last part of the name, or more of it where another model
        has that."""
        whole = self.name.replace("/", "--")
        return self.name.rpartition("/")[2], whole, f"{whole}--{self.revision.replace('/', '-')}"

    def listing(self) -> str:
        """The address of the list of its files; the hub may give it in pages."""
        revision = quote(self.revision, safe="")
        if self.hub == "huggingface":
            return f"{self.endpoint}/api/models/{self.name}/tree/{revision}?recursive=true"
        place = f"{self.endpoint}/api/v1/models/{self.name}/repo/files"
        return f"{place}?Revision={revision}&Recursive=true"

    def file(self, path: str) -> str:
        """The address of one file's content."""
        between = "/models" if self.hub == "modelscope" else ""
        place = f"{self.endpoint}{between}/{self.name}/resolve/{quote(self.revision, safe='')}"
        return f"{place}/{quote(path)}"


def read_name(text: str, environment: Mapping[str, str]) -> Repository:
    """A model's name as typed: `owner/name`, `modelscope:owner/name`, the address of its page,
    each with `@revision` behind it where that is wanted.

    `environment` may hold HF_ENDPOINT (a mirror of Hugging Face), HF_TOKEN, MODELSCOPE_ENDPOINT
    and MODELSCOPE_API_TOKEN. Raises UsageFault("bad_input" | "bad_key").
    """
    asked = text.strip()
    typed = asked
    known = (*_HUGGING_HOSTS, *_MODELSCOPE_HOSTS, *_ABROAD)
    if "://" not in typed and typed.split("/", 1)[0].lower() in known and "/" in typed:
        typed = f"https://{typed}"
    if "://" in typed:
        return _from_page(typed, asked, environment)
    hub: Hub = "huggingface"
    if typed.lower().startswith(_PREFIX):
        hub, typed = "modelscope", typed[len(_PREFIX) :]
    endpoint = _own(hub, environment)
    return _repository(hub, endpoint, named=typed, asked=asked, environment=environment)


def _from_page(typed: str, asked: str, environment: Mapping[str, str]) -> Repository:
    """From the address of a page, of a folder in it or of a file."""
    try:
        parts = urlsplit(typed)
        host = (parts.hostname or "").lower()
        usable = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password:
        raise _senseless(asked)
    origin = f"{parts.scheme}://{parts.netloc}"
    hub, endpoint = _hub_at(host, origin, environment)
    path = [unquote(part) for part in parts.path.split("/") if part]
    own = [part for part in urlsplit(endpoint).path.split("/") if part]
    if own and path[: len(own)] == own:  # a mirror that stands under a path
        path = path[len(own) :]
    if hub == "modelscope" and path[:1] == ["models"]:
        path = path[1:]
    elif path[:1] in (["datasets"], ["spaces"], ["models"], ["collections"]):
        raise _senseless(asked)
    named, rest = "/".join(path[:2]), path[2:]
    if "@" not in named and len(rest) > 1 and rest[0] in _VIEWS:
        named = f"{named}@{rest[1]}"
    return _repository(hub, endpoint, named=named, asked=asked, environment=environment)


def _hub_at(host: str, origin: str, environment: Mapping[str, str]) -> tuple[Hub, str]:
    """Whose address it is; one that nobody knows is taken for a mirror of Hugging Face."""
    if host in _HUGGING_HOSTS:
        return "huggingface", _own("huggingface", environment)
    if host in _MODELSCOPE_HOSTS:
        return "modelscope", _own("modelscope", environment)
    if host in _ABROAD:
        return "modelscope", origin
    for hub in ("huggingface", "modelscope"):
        endpoint = _own(hub, environment)
        if urlsplit(endpoint).netloc.lower() == urlsplit(origin).netloc.lower():
            return hub, endpoint
    return "huggingface", origin


def _own(hub: Hub, environment: Mapping[str, str]) -> str:
    """The hub's endpoint, or the mirror that the environment names."""
    if hub == "modelscope":
        return environment.get("MODELSCOPE_ENDPOINT", "").strip().rstrip("/") or _MODELSCOPE
    return environment.get("HF_ENDPOINT", "").strip().rstrip("/") or _HUGGING_FACE


def _repository(
    hub: Hub, endpoint: str, *, named: str, asked: str, environment: Mapping[str, str]
) -> Repository:
    """`named` is `owner/name` or `owner/name@revision`."""
    name, _, revision = named.partition("@")
    revision = revision or ("main" if hub == "huggingface" else "master")
    good = _NAME.fullmatch(name) and (hub == "huggingface" or "/" in name)
    if not good or ".." in named or not _REVISION.fullmatch(revision):
        raise _senseless(asked)
    _check_endpoint(hub, endpoint)
    token = _token(hub, endpoint, environment)
    return Repository(hub, endpoint, name, revision, asked, token)


def _check_endpoint(hub: Hub, endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.username or re.search(r"[\s<>\"\\^`{|}]", endpoint):
        variable = "HF_ENDPOINT" if hub == "huggingface" else "MODELSCOPE_ENDPOINT"
        raise UsageFault("bad_input", f"{variable} is not the address of a hub. Set it again.")


def _token(hub: Hub, endpoint: str, environment: Mapping[str, str]) -> str:
    """The token, for an endpoint that the user chose and a line that nobody listens to."""
    variable = "HF_TOKEN" if hub == "huggingface" else "MODELSCOPE_API_TOKEN"
    token = environment.get(variable, "").strip()
    if not all("!" <= letter <= "~" for letter in token):
        raise UsageFault("bad_key", f"{variable} holds characters that no token has. Set it again.")
    parts = urlsplit(endpoint)
    chosen = endpoint == _own(hub, environment) or (parts.hostname or "") in _ABROAD
    private = parts.scheme == "https" or is_near(parts.hostname or "")
    return token if chosen and private else ""


def _senseless(asked: str) -> UsageFault:
    shown = re.sub(r"//[^/@]*@", "//", asked)  # without a password that stood in an address
    return UsageFault(
        "bad_input",
        f"“{shown}” is not the name of a model. It should look like "
        "zai-org/GLM-4.1V-9B-Thinking, modelscope:ZhipuAI/GLM-4.1V-9B-Thinking, "
        "or be the address of the model's page.",
    )
