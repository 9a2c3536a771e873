"""What a person typed into the search field, as a query over the store's tables.

A trigram index finds words of three characters and more in any script; shorter ones (most
Chinese words) are found by LIKE, which works on the plain tables only: on an FTS5 trigram table
it finds nothing.
"""

from __future__ import annotations

import re

_WORD = re.compile(r'"([^"]+)"|(\S+)')
_SHORTEST_INDEXED = 3

_BY_INDEX = """
    SELECT rowid FROM found_titles WHERE found_titles MATCH :match
    UNION SELECT t.conversation FROM found_turns AS f JOIN turns AS t ON t.id = f.rowid
        WHERE found_turns MATCH :match
    UNION SELECT conversation FROM turns WHERE state = 'streaming'
        AND (question LIKE :like ESCAPE '\\' OR answer LIKE :like ESCAPE '\\')"""
_BY_SCAN = """
    SELECT id FROM conversations WHERE title LIKE :like ESCAPE '\\'
    UNION SELECT conversation FROM turns
        WHERE question LIKE :like ESCAPE '\\' OR answer LIKE :like ESCAPE '\\'"""


def words(search: str) -> tuple[str, ...]:
    """The words that must all be found; "quoted ones" stay together."""
    typed = search.replace("\0", " ")  # would end the query early
    found = (quoted or bare.replace('"', "") for quoted, bare in _WORD.findall(typed))
    return tuple(word for word in (raw.strip() for raw in found) if word)


def query(word: str) -> tuple[str, dict[str, str]]:
    """SQL that selects the ids of the conversations that hold `word`, and its parameters."""
    escaped = re.sub(r"([\\%_])", r"\\\1", word)
    values = {"like": f"%{escaped}%"}
    if len(word) < _SHORTEST_INDEXED:
        return _BY_SCAN, values
    return _BY_INDEX, values | {"match": '"' + word.replace('"', '""') + '"'}
