"""Which exam sessions are listed. Some words stand for several states; answers tell the exact one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

from domain.exam.sessions import ExamStatus


class StatusFilter(StrEnum):
    """A word for one state or for several."""

    CREATED = "created"
    ACTIVE = "active"
    PAUSED = "paused"
    OVERDUE = "overdue"
    SUBMITTED = "submitted"
    FINISHED = "finished"
    ABANDONED = "abandoned"
    TERMINATED = "terminated"
    INVALIDATED = "invalidated"
    INVALID = "invalid"


_SEVERAL: Mapping[StatusFilter, tuple[ExamStatus, ...]] = {
    StatusFilter.ACTIVE: (ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE),
    StatusFilter.FINISHED: (ExamStatus.SUBMITTED, ExamStatus.FINISHED),
    StatusFilter.TERMINATED: (ExamStatus.TERMINATED, ExamStatus.ABANDONED),
    StatusFilter.INVALID: (ExamStatus.INVALIDATED,),
}
OnlyPackage: TypeAlias = Annotated[
    str | None, QueryParameter(name="examPackageId", max_length=64, description="Only sessions in this exam package")
]
OnlyStatuses: TypeAlias = Annotated[
    list[StatusFilter] | None,
    QueryParameter(
        name="status",
        max_items=2 * len(StatusFilter),
        description="Only sessions in this state, or in any of several: `status=created&status=active`. `active` takes"
        " in `paused` and `overdue`, `finished` `submitted`, `terminated` `abandoned`; `invalid` is `invalidated`",
    ),
]


def statuses_of(wanted: Iterable[StatusFilter] | None) -> tuple[ExamStatus, ...]:
    """The states that these words stand for, each once; none for no words: whatever the state."""
    found = (status for word in wanted or () for status in _SEVERAL.get(word) or (ExamStatus(word.value),))
    return tuple(dict.fromkeys(found))
