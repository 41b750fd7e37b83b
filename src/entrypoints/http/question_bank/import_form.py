"""What is asked of an import: by the query, and by the parts of a form that have the names of its parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from application.question_bank.ports.importing import FileOptions
from domain.question_bank.import_report import ImportMode
from entrypoints.http.field_problems import of_body, pointer_token
from entrypoints.http.question_bank.import_bodies import MAX_BANK, MAX_ENCODING, MAX_FORMAT, MAX_NAME
from entrypoints.http.refusals import invalid


class Asked(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The parameters of an import. As parts of a form they have the bounds of the query."""

    bank: Annotated[str, Meta(max_length=MAX_BANK)] | None = None
    mode: ImportMode = ImportMode.ALL_OR_NOTHING
    publish: bool = False
    file_name: Annotated[str, Meta(max_length=MAX_NAME)] | None = None
    format: Annotated[str, Meta(max_length=MAX_FORMAT)] | None = None
    encoding: Annotated[str, Meta(max_length=MAX_ENCODING)] | None = None
    delimiter: Annotated[str, Meta(max_length=1)] | None = None
    answer_base: Literal[0, 1] | None = None

    def options(self, format_: str | None) -> FileOptions:
        """How the file is to be read; `format_` is what its media type says."""
        return FileOptions(
            format=self.format or format_,
            encoding=self.encoding,
            delimiter=self.delimiter,
            answer_base=self.answer_base,
        )


_FIELDS: Final = {field.encode_name: field.name for field in msgspec.structs.fields(Asked)}
FORM_FIELDS: Final = frozenset(_FIELDS)


def with_form(asked: Asked, in_query: Collection[str], parts: Mapping[str, str]) -> Asked:
    """What the query and the form ask for together. Refuses two answers to one question: neither is the right one."""
    try:
        said = msgspec.convert(parts, Asked, strict=False)
    except msgspec.ValidationError as error:
        raise of_body(error) from None
    for name in parts:
        if name in in_query and getattr(said, _FIELDS[name]) != getattr(asked, _FIELDS[name]):
            raise invalid(pointer_token(name), "contradictory", f"The query says something else about `{name}`")
    told = {_FIELDS[name]: getattr(said, _FIELDS[name]) for name in parts}
    return msgspec.structs.replace(asked, **told)
