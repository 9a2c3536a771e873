"""What a hub's refusal means and what to do about it, in one sentence; no network."""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.hub.repository import Repository
from app.vocabulary import EndpointFault, FaultKind


def denied(
    repository: Repository, status: int, *, headers: Mapping[str, str], path: str = ""
) -> EndpointFault:
    """The fault that a response is; `path` is the file that was asked for, if one was.

    Hugging Face names the reason in `X-Error-Code`; it answers 401 for what is not there too, so
    as not to tell which private models exist (huggingface_hub, `utils/_http.py`).
    """
    kind, said = _meaning(repository, status, headers.get("x-error-code", ""), path)
    detail = f"HTTP {status} {headers.get('x-error-message', '')}".strip()
    token = repository.token
    return EndpointFault(kind, said, detail.replace(token, "•••") if token else detail)


def _meaning(repository: Repository, status: int, code: str, path: str) -> tuple[FaultKind, str]:
    name, host, variable = repository.name, repository.host, repository.token_variable
    if code == "GatedRepo" or (status == 403 and code != "RepoNotFound"):
        return "bad_key", _gated(repository)
    if code == "RevisionNotFound":
        return "not_found", f"{name} has no revision “{repository.revision}” on {host}."
    if status == 401 and repository.token and code != "RepoNotFound":
        return "bad_key", f"{host} refused the token in {variable}. Make a new one there, set it."
    if path and (code == "EntryNotFound" or status == 404):
        return "bad_response", f"{host} lists {path} of {name}, but does not have it."
    if status in (401, 404):
        private = "may not be seen with this token" if repository.token else "is private"
        then = "" if repository.token else f", or set {variable}"
        said = f"There is no model {name} on {host}, or it {private}. Check its name{then}."
        return "no_model", said
    if status == 429:
        return "rate_limited", f"{host} is asked too often from here. Try again in a while."
    if status >= 500:
        return "server_failed", f"{host} failed (HTTP {status}). Try again in a moment."
    return "bad_response", f"{host} answers with HTTP {status}. Is it a model hub?"


def _gated(repository: Repository) -> str:
    name, page, variable = repository.name, repository.page, repository.token_variable
    if repository.token:
        return (
            f"The account behind {variable} may not fetch {name}: accept its licence at {page}, "
            "then try again."
        )
    return (
        f"{name} is gated: accept its licence at {page}, then set {variable} to a token of that "
        "account."
    )
