"""Who may flag what, and how often."""

from __future__ import annotations

import pytest

from domain.progress.flags import MOST_FLAGS, FlagStanding, TooManyFlags, may_flag, may_unflag
from domain.question_bank.lifecycle_refusals import QuestionNotFound


def standing(*, visible: bool = True, flagged: bool = False, flags: int = 0) -> FlagStanding:
    return FlagStanding(visible=visible, flagged=flagged, flags=flags)


def test_what_may_be_seen_is_flagged_once() -> None:
    assert may_flag(standing()) is True
    assert may_flag(standing(flagged=True, flags=1)) is False


@pytest.mark.parametrize("flagged", [False, True])
def test_what_may_not_be_seen_is_not_there_to_be_flagged(flagged: bool) -> None:
    with pytest.raises(QuestionNotFound):
        may_flag(standing(visible=False, flagged=flagged))


def test_there_is_room_for_a_number_of_flags() -> None:
    assert may_flag(standing(flags=MOST_FLAGS - 1)) is True
    with pytest.raises(TooManyFlags):
        may_flag(standing(flags=MOST_FLAGS))
    assert may_flag(standing(flagged=True, flags=MOST_FLAGS)) is False


def test_an_own_flag_can_be_taken_away_even_where_the_question_is_out_of_sight() -> None:
    assert may_unflag(standing(flagged=True)) is True
    assert may_unflag(standing(visible=False, flagged=True)) is True
    assert may_unflag(standing()) is False
    with pytest.raises(QuestionNotFound):
        may_unflag(standing(visible=False))
