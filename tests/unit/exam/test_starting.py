"""What is frozen when an exam begins."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.enrollment.settings import Navigation, OverduePolicy, PackageSettings
from domain.exam.moves import submit
from domain.exam.refusals import FormUnavailable
from domain.exam.sessions import Accommodation, ExamRules, ExamStatus
from domain.exam.starting import (
    Attempt,
    Drawn,
    arranged,
    compose,
    foreseen,
    freeze,
    rules_of,
    sitting_until,
    wanted_sections,
)
from domain.question_bank.blueprints import MAX_PAPER, Blueprint, Candidate, Section
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.scoring import ScoringPolicy
from tests.support.exam_builders import EVERY_KIND, START, Offer, exam_rules, exam_session, later

GRANTED = Accommodation(multiplier=Decimal("1.5"), extra_seconds=60)
ATTEMPT = Attempt(
    user_id="usr_ada",
    session_id="exs_9",
    exam_package_id="pkg_security",
    tier_id="tie_gold",
    number=3,
    accommodation=GRANTED,
)


def pool(count: int, **more: object) -> list[Candidate]:
    return [Candidate(question_id=f"qst_{number:04}", version=1, **more) for number in range(count)]  # type: ignore[arg-type]


def drawn(*offers: Offer, section: int = 0, marks: Decimal | None = None) -> list[Drawn]:
    return [Drawn(question=offer.public, topic_id="top_risk", section=section, marks=marks) for offer in offers]


def test_the_rules_of_a_session_are_those_of_the_package_at_that_moment() -> None:
    settings = PackageSettings(
        scoring=ScoringPolicy(),
        allow_negative_total=True,
        certainty=True,
        cbm_official=True,
        navigation=Navigation.LINEAR,
        opens_at=START,
        closes_at=later(days=1),
        window_extends=True,
        overdue_policy=OverduePolicy.GRACE,
        latency_seconds=7,
        grace_seconds=77,
        pause_allowed=True,
    )
    rules = rules_of(settings, 1800, Decimal(60))
    same = {"overdue_policy", "latency_seconds", "grace_seconds", "navigation", "pause_allowed", "certainty", "scoring"}
    same |= {"allow_negative_total", "cbm_official", "window_extends"}
    for name in same:
        assert getattr(rules, name) == getattr(settings, name)
    assert (rules.window_opens_at, rules.window_closes_at) == (settings.opens_at, settings.closes_at)
    assert (rules.time_limit_seconds, rules.pass_mark) == (1800, Decimal(60))
    plain = ExamRules(time_limit_seconds=None, pass_mark=Decimal(60))
    changed = {each.name for each in fields(ExamRules) if getattr(rules, each.name) != getattr(plain, each.name)}
    assert changed | {"scoring", "pass_mark"} == {each.name for each in fields(ExamRules)}


# The paper.


@given(st.integers(0, 40), st.integers(1, 45))
def test_without_a_blueprint_there_are_as_many_questions_as_the_package_says(there: int, count: int) -> None:
    settings = PackageSettings(question_count=count)
    if there < count:
        with pytest.raises(FormUnavailable) as refused:
            compose(settings, None, pool(there), "see_1")
        assert refused.value.facts == {"shortfall": count - there}
        return
    slots = compose(settings, None, pool(there), "see_1")
    assert len({slot.question_id for slot in slots}) == count
    assert {slot.section for slot in slots} == {0}


@pytest.mark.parametrize("there", [1, 7, MAX_PAPER, MAX_PAPER + 50])
def test_a_package_that_says_nothing_asks_everything_as_far_as_a_paper_goes(there: int) -> None:
    slots = compose(PackageSettings(), None, pool(there), "see_1")
    assert len(slots) == min(there, MAX_PAPER)


def test_of_no_questions_there_is_no_paper() -> None:
    with pytest.raises(FormUnavailable) as refused:
        compose(PackageSettings(), None, [], "see_1")
    assert refused.value.facts == {"shortfall": 1}


def test_a_blueprint_is_filled_section_by_section() -> None:
    blueprint = Blueprint(sections=(Section(count=2, topic_id="top_a"), Section(count=1, topic_id="top_b")))
    assert wanted_sections(PackageSettings(), blueprint) is blueprint
    there = [*pool(2, topic_id="top_a"), Candidate(question_id="qst_b", version=4, topic_id="top_b")]
    slots = compose(PackageSettings(), blueprint, there, "see_1")
    assert [(slot.section, slot.version) for slot in slots] == [(0, 1), (0, 1), (1, 4)]
    with pytest.raises(FormUnavailable) as refused:
        compose(PackageSettings(), blueprint, there[1:2], "see_1")
    assert refused.value.facts == {"shortfall": 2}


@given(st.permutations(EVERY_KIND), st.booleans())
def test_questions_are_asked_as_they_were_drawn_or_the_oldest_first(order: list[Offer], shuffled: bool) -> None:
    questions = [*drawn(*order[:3]), *drawn(*order[3:], section=1)]
    asked = arranged(questions, PackageSettings(shuffle_questions=shuffled))
    ids = [(each.section, each.question.question_id) for each in questions]
    assert [(each.section, each.question.question_id) for each in asked] == (ids if shuffled else sorted(ids))


def test_a_session_freezes_its_attempt_and_its_paper() -> None:
    questions = [*drawn(*EVERY_KIND[:2]), *drawn(*EVERY_KIND[2:], section=1, marks=Decimal("2.5"))]
    session, slots = freeze(ATTEMPT, exam_rules(), PackageSettings(), questions, "see_1", later(minutes=3))
    assert (session.user_id, session.id, session.exam_package_id) == ("usr_ada", "exs_9", "pkg_security")
    assert (session.tier_id, session.attempt_no, session.accommodation) == ("tie_gold", 3, GRANTED)
    assert (session.status, session.created_at, session.started_at) == (
        ExamStatus.ACTIVE,
        later(minutes=3),
        later(minutes=3),
    )
    assert [slot.slot for slot in slots] == list(range(1, len(EVERY_KIND) + 1))
    assert [slot.question_id for slot in slots] == [offer.id for offer in EVERY_KIND]
    assert [slot.max_mark for slot in slots[:3]] == [EVERY_KIND[0].points, EVERY_KIND[1].points, Decimal("2.5")]
    assert {(slot.user_id, slot.session_id, slot.topic_id) for slot in slots} == {("usr_ada", "exs_9", "top_risk")}


def test_where_a_start_is_authorised_a_session_waits() -> None:
    session, _ = freeze(ATTEMPT, exam_rules(), PackageSettings(authorised_start=True), [], "see_1", START)
    assert (session.status, session.created_at, session.started_at) == (ExamStatus.CREATED, START, None)


@given(st.text("abc", min_size=1), st.booleans())
def test_options_are_shuffled_where_the_package_wants_it_and_always_where_their_order_is_the_key(
    seed: str, shuffled: bool
) -> None:
    settings = PackageSettings(shuffle_options=shuffled)
    _, slots = freeze(ATTEMPT, exam_rules(), settings, drawn(*EVERY_KIND), seed, START)
    _, again = freeze(ATTEMPT, exam_rules(), settings, drawn(*EVERY_KIND), seed, START)
    assert slots == again
    for slot, offer in zip(slots, EVERY_KIND, strict=True):
        assert sorted(slot.choice_order) == sorted(offer.options)
        if not shuffled and offer.kind not in (QuestionKind.ORDERING, QuestionKind.MATCHING):
            assert slot.choice_order == tuple(offer.options)


def test_chance_decides_anew_for_every_paper() -> None:
    orders = {
        freeze(ATTEMPT, exam_rules(), PackageSettings(), drawn(*EVERY_KIND), f"see_{n}", START)[1] for n in range(9)
    }
    assert len(orders) > 1
    for kind in (QuestionKind.ORDERING, QuestionKind.MATCHING):
        fixed = PackageSettings(shuffle_options=False)
        offer = next(each for each in EVERY_KIND if each.kind is kind)
        shown = {
            freeze(ATTEMPT, exam_rules(), fixed, drawn(offer), f"see_{n}", START)[1][0].choice_order for n in range(9)
        }
        assert len(shown) > 1


# Around it.


def test_what_time_hands_in_is_seen_as_graded() -> None:
    assert foreseen(exam_session(), START) == exam_session()
    assert foreseen(exam_session(), later(days=1)).status is ExamStatus.FINISHED
    assert foreseen(submit(exam_session(), START), START).status is ExamStatus.FINISHED


def test_somebody_may_be_sitting_an_exam_until_nothing_is_taken_any_more() -> None:
    session = exam_session(rules=exam_rules(latency_seconds=30))
    assert sitting_until(session, later(minutes=1)) == later(minutes=60, seconds=30)
    endless = replace(session, rules=exam_rules(time_limit_seconds=None))
    assert sitting_until(endless, later(minutes=1)) == later(minutes=1) + timedelta(hours=24)
