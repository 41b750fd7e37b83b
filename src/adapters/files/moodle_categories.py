"""Categories as Moodle spells them in its files, and the domains that they stand for here."""

from __future__ import annotations

import re
from typing import Final

from domain.question_bank.imported import trimmed

_CONTEXT: Final = re.compile(r"\$(?:course|module|system|coursecat|cat[0-9]*)\$(?:/|\Z)")
_TOP: Final = "$course$/top"


def domain_of(category: str) -> str:
    """The domain that a category path names: without the context and the root, with `//` for a slash in a name."""
    path = trimmed(category)
    path = path[found.end() :] if (found := _CONTEXT.match(path)) else path
    path = "" if path == "top" else path.removeprefix("top/")
    return trimmed(path.replace("//", "/"))


def category_of(domain: str) -> str:
    """The path under which a question of the domain is filed."""
    return f"{_TOP}/{domain.replace('/', '//')}" if domain else _TOP


def one_line(name: str) -> str:
    """A name as it can stand in one line."""
    return " ".join(filter(None, (trimmed(line) for line in name.replace("\r", "\n").split("\n"))))
