"""The markup of one question: cleaned, with an account of what had to be left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from adapters.files.safe_html import cleaned
from domain.question_bank.imported import ImportProblem, Origin, Severity, visible

_FAULTS: Final = {
    "field_too_long": "The markup is too long to be read.",
    "markup_too_deep": "The markup is nested too deeply to be read.",
}
_NAMES_SHOWN: Final = 500


@dataclass(slots=True)
class Markup:
    """Cleans the texts of one question and remembers what that cost."""

    missing: dict[str, None] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    faults: dict[str, None] = field(default_factory=dict)

    def clean(self, html: str) -> str:
        """The markup that is safe to show."""
        found = cleaned(html)
        self.missing.update(dict.fromkeys(found.missing_files))
        self.removed.update(dict.fromkeys(found.removed))
        if found.fault:
            self.faults[found.fault] = None
        return found.text

    def problems(self, origin: Origin) -> Iterator[ImportProblem]:
        """What is to be told: errors where markup could not be read, warnings where some of it is left out."""
        for code in self.faults:
            yield _problem(origin, code, _FAULTS[code], Severity.ERROR)
        if self.missing:
            message = "Files are not imported: pictures and links to them are left out."
            yield _problem(origin, "file_left_out", message, Severity.WARNING, ", ".join(filter(None, self.missing)))
        if self.removed:
            message = "Markup that a question may not hold is left out."
            yield _problem(origin, "markup_removed", message, Severity.WARNING, ", ".join(self.removed))


def _problem(origin: Origin, code: str, message: str, severity: Severity, names: str = "") -> ImportProblem:
    return ImportProblem(
        record=origin.record,
        line=origin.line,
        field=None,
        code=code,
        severity=severity,
        message=message,
        detail=visible(names, _NAMES_SHOWN) if names else None,
    )
