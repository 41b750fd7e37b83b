"""Packages with everything they can say, for laws and for round trips."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from domain.auth.people import Actor, Role
from domain.enrollment.settings import (
    DAY_SECONDS,
    MAX_ATTEMPTS,
    MAX_COOLDOWN_SECONDS,
    MAX_GRACE_SECONDS,
    MAX_LATENCY_SECONDS,
    Navigation,
    OfficialResult,
    OverduePolicy,
    PackageSettings,
    ReviewRule,
)
from domain.question_bank.blueprints import MAX_PAPER, Blueprint, Section
from domain.question_bank.scoring import MultiplePolicy, OrderingPolicy, ScoringPolicy

ADMIN = Actor(user_id="usr_root", role=Role.ADMIN, session_id="ses_9")
INSTRUCTOR = Actor(user_id="usr_teacher", role=Role.INSTRUCTOR, session_id="ses_8")
STUDENT = Actor(user_id="usr_ada", role=Role.STUDENT, session_id="ses_1")
TALKATIVE = PackageSettings(
    scoring=ScoringPolicy(
        penalty=Decimal("0.333333"),
        multiple=MultiplePolicy.EVERY_DECISION,
        none_allowed=True,
        ordering=OrderingPolicy.ADJACENT_PAIRS,
    ),
    allow_negative_total=True,
    certainty=True,
    cbm_official=True,
    shuffle_questions=False,
    shuffle_options=False,
    navigation=Navigation.LINEAR,
    opens_at=datetime(2026, 3, 2, 8, tzinfo=UTC),
    closes_at=datetime(2026, 3, 9, 18, 30, 0, 1, tzinfo=UTC),
    window_extends=True,
    attempts_allowed=3,
    cooldown_seconds=DAY_SECONDS,
    later_cooldown_seconds=2 * DAY_SECONDS,
    overdue_policy=OverduePolicy.GRACE,
    latency_seconds=0,
    grace_seconds=7200,
    authorised_start=True,
    pause_allowed=True,
    review_rule=ReviewRule.AFTER_WINDOW,
    official_result=OfficialResult.AVERAGE,
)
"""Nothing of it is a default, but for the number of questions, which a blueprint tells."""
BLUEPRINT = Blueprint(
    sections=(
        Section(count=4, topic_id="top_1", difficulty_id="dif_easy", marks=Decimal("1.5")),
        Section(count=6, topic_id="top_2"),
        Section(count=1),
    )
)


def _seconds(most: int) -> st.SearchStrategy[int]:
    return st.integers(0, most)


_SCORING = st.builds(
    ScoringPolicy,
    penalty=st.decimals(0, 1, places=4),
    guess_neutral=st.booleans(),
    multiple=st.sampled_from(MultiplePolicy),
    none_allowed=st.booleans(),
    ordering=st.sampled_from(OrderingPolicy),
)


@st.composite
def package_settings(draw: st.DrawFn) -> PackageSettings:
    """Settings that keep all rules."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    opens = draw(st.none() | st.timedeltas(timedelta(days=-9000), timedelta(days=9000)).map(lambda off: start + off))
    length = st.timedeltas(timedelta(microseconds=1), timedelta(days=300))
    closes = draw(st.none() | length.map(lambda long: (opens or start) + long))
    certainty = draw(st.booleans())
    rules = [rule for rule in ReviewRule if closes is not None or rule is not ReviewRule.AFTER_WINDOW]
    return PackageSettings(
        scoring=draw(_SCORING),
        allow_negative_total=draw(st.booleans()),
        certainty=certainty,
        cbm_official=certainty and draw(st.booleans()),
        question_count=draw(st.none() | st.integers(1, MAX_PAPER)),
        shuffle_questions=draw(st.booleans()),
        shuffle_options=draw(st.booleans()),
        navigation=draw(st.sampled_from(Navigation)),
        opens_at=opens,
        closes_at=closes,
        window_extends=draw(st.booleans()),
        attempts_allowed=draw(st.none() | st.integers(1, MAX_ATTEMPTS)),
        cooldown_seconds=draw(_seconds(MAX_COOLDOWN_SECONDS)),
        later_cooldown_seconds=draw(_seconds(MAX_COOLDOWN_SECONDS)),
        overdue_policy=draw(st.sampled_from(OverduePolicy)),
        latency_seconds=draw(_seconds(MAX_LATENCY_SECONDS)),
        grace_seconds=draw(_seconds(MAX_GRACE_SECONDS)),
        authorised_start=draw(st.booleans()),
        pause_allowed=draw(st.booleans()),
        review_rule=draw(st.sampled_from(rules)),
        official_result=draw(st.sampled_from(OfficialResult)),
    )
