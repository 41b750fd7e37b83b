"""Words by which exam sessions are filtered, as clients know them."""

from __future__ import annotations

from domain.exam.sessions import ExamStatus
from entrypoints.http.exam.filters import StatusFilter, statuses_of


def test_a_word_stands_for_one_state_or_for_those_it_takes_in() -> None:
    told = {word: set(statuses_of([word])) for word in StatusFilter}
    several = {
        StatusFilter.ACTIVE: {ExamStatus.ACTIVE, ExamStatus.PAUSED, ExamStatus.OVERDUE},
        StatusFilter.FINISHED: {ExamStatus.SUBMITTED, ExamStatus.FINISHED},
        StatusFilter.TERMINATED: {ExamStatus.TERMINATED, ExamStatus.ABANDONED},
        StatusFilter.INVALID: {ExamStatus.INVALIDATED},
    }
    assert told == {word: several.get(word) or {ExamStatus(word.value)} for word in StatusFilter}
    assert set().union(*told.values()) == set(ExamStatus)


def test_several_words_stand_for_all_of_theirs_each_once() -> None:
    assert statuses_of([StatusFilter.INVALID, StatusFilter.INVALIDATED, StatusFilter.PAUSED]) == (
        ExamStatus.INVALIDATED,
        ExamStatus.PAUSED,
    )
    assert statuses_of(None) == statuses_of([]) == ()
