"""Laws of session limits: which limit counts, and which sessions it leaves no room for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auth.limits import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    Limit,
    LimitCandidate,
    LimitSource,
    SessionLimitReached,
    WhenFull,
    effective_limit,
    surplus,
    to_admit_one_more,
)
from domain.auth.sessions import Session
from domain.errors import InvalidInput
from tests.support.auth_builders import NOW, a_session

limits = st.builds(
    Limit,
    max_sessions=st.one_of(st.integers(1, 4), st.integers(1, MAX_LIMIT)),
    when_full=st.sampled_from(WhenFull),
)


def defined_by(source: LimitSource, subjects: str) -> st.SearchStrategy[LimitCandidate]:
    return st.builds(LimitCandidate, source=st.just(source), subject_id=st.sampled_from(subjects), limit=limits)


groups = defined_by(LimitSource.GROUP, "abcdef")
everything = st.lists(
    st.one_of(groups, defined_by(LimitSource.USER, "u"), defined_by(LimitSource.ROLE, "r")),
    unique_by=lambda candidate: (candidate.source, candidate.subject_id),
)


@st.composite
def live_sessions(draw: st.DrawFn) -> list[Session]:
    """Sessions of one person; some were seen at the same time, some sit an exam, of some the exam is over."""
    minutes = st.integers(-60, 60)
    return [
        a_session(
            id=f"ses_{number:02}",
            last_seen_at=NOW - timedelta(minutes=draw(st.integers(0, 5))),
            sits_exam_until=draw(st.none() | minutes.map(lambda by: NOW + timedelta(minutes=by))),
        )
        for number in draw(st.permutations(range(draw(st.integers(0, 8)))))
    ]


def sits_exam(session: Session) -> bool:
    return session.sits_exam_until is not None and session.sits_exam_until > NOW


def assert_given_up_in_order(ended: tuple[Session, ...], candidates: list[Session]) -> None:
    """Whoever stays sits an exam, or was seen no earlier than whoever ends."""
    staying = [session for session in candidates if session not in ended]
    for gone in ended:
        for stays in staying:
            if sits_exam(gone):
                assert sits_exam(stays)
            if sits_exam(gone) == sits_exam(stays):
                assert (gone.last_seen_at, gone.id) < (stays.last_seen_at, stays.id)


@pytest.mark.parametrize("number", [0, -1, 101])
def test_a_limit_is_a_number_from_1_to_100(number: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        Limit(max_sessions=number)
    assert [problem.pointer for problem in refused.value.problems] == ["/limit"]


def test_where_nothing_is_defined_three_sessions_are_allowed_and_the_oldest_makes_room() -> None:
    found = effective_limit([])
    assert (found.source, found.limit) == (LimitSource.DEFAULT, Limit(max_sessions=DEFAULT_LIMIT))
    assert (DEFAULT_LIMIT, found.limit.when_full) == (3, WhenFull.EVICT_OLDEST)


@given(defined=everything, chance=st.randoms(use_true_random=False))
def test_which_limit_counts_depends_only_on_what_is_defined(defined: list[LimitCandidate], chance: object) -> None:
    shuffled = list(defined)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert effective_limit(shuffled) == effective_limit(defined) == effective_limit(tuple(defined) * 2)


@given(defined=everything)
def test_the_user_comes_before_the_groups_the_groups_before_the_role_and_the_role_before_three(
    defined: list[LimitCandidate],
) -> None:
    found = effective_limit(defined)
    sources = {candidate.source for candidate in defined} or {LimitSource.DEFAULT}
    order = [LimitSource.USER, LimitSource.GROUP, LimitSource.ROLE, LimitSource.DEFAULT]
    assert found.source is next(source for source in order if source in sources)
    assert found in defined or found.source is LimitSource.DEFAULT


@given(of_groups=st.lists(groups, min_size=1), of_role=st.lists(defined_by(LimitSource.ROLE, "r"), max_size=1))
def test_of_the_groups_the_lowest_counts_and_of_equal_ones_the_stricter(
    of_groups: list[LimitCandidate], of_role: list[LimitCandidate]
) -> None:
    lowest = min(candidate.limit.max_sessions for candidate in of_groups)
    strict = Limit(max_sessions=lowest, when_full=WhenFull.DENY)
    denies = any(candidate.limit == strict for candidate in of_groups)
    found = effective_limit([*of_role, *of_groups]).limit
    assert (found.max_sessions, found.when_full is WhenFull.DENY) == (lowest, denies)


@given(defined=st.lists(groups, min_size=1), added=groups)
def test_one_more_group_limit_never_raises_what_the_groups_allow(
    defined: list[LimitCandidate], added: LimitCandidate
) -> None:
    before, after = effective_limit(defined).limit, effective_limit([*defined, added]).limit
    assert after.max_sessions <= before.max_sessions
    if after.max_sessions == before.max_sessions and before.when_full is WhenFull.DENY:
        assert after.when_full is WhenFull.DENY


@given(limit=limits, live=live_sessions())
def test_one_more_session_is_within_the_limit_and_no_more_ends_than_has_to(limit: Limit, live: list[Session]) -> None:
    try:
        ended = to_admit_one_more(limit, live, NOW)
    except SessionLimitReached:
        assert limit.when_full is WhenFull.DENY
        assert len(live) >= limit.max_sessions
        return
    left = len(live) - len(ended) + 1
    assert left == min(len(live) + 1, limit.max_sessions)
    assert not (ended and limit.when_full is WhenFull.DENY)
    assert_given_up_in_order(ended, live)


@given(limit=limits, live=live_sessions())
def test_what_a_lowered_limit_leaves_is_the_limit_whatever_it_says_about_new_ones(
    limit: Limit, live: list[Session]
) -> None:
    ended = surplus(limit, live, NOW)
    assert len(live) - len(ended) == min(len(live), limit.max_sessions)
    assert_given_up_in_order(ended, live)
    assert surplus(limit, [session for session in live if session not in ended], NOW) == ()


@given(limit=limits, live=live_sessions().filter(bool), data=st.data())
def test_the_session_that_is_in_use_is_kept_and_counts(limit: Limit, live: list[Session], data: st.DataObject) -> None:
    kept = data.draw(st.sampled_from(live))
    ended = surplus(limit, live, NOW, keep=kept.id)
    assert kept not in ended
    assert len(live) - len(ended) == min(len(live), limit.max_sessions)
    assert_given_up_in_order(ended, [session for session in live if session != kept])


@given(limit=limits, live=live_sessions())
def test_a_session_to_keep_that_has_ended_takes_no_room(limit: Limit, live: list[Session]) -> None:
    assert surplus(limit, live, NOW, keep="ses_ended") == surplus(limit, live, NOW)
