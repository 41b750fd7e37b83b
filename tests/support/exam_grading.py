"""Papers that wait for their grade, for laws: questions of every kind with keys, and all sorts of answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from domain.exam.papers import GradedSlot
from domain.exam.sessions import ExamRules, ExamSession, ExamSlot, ExamStatus, SealReason
from domain.exam.voiding import Void, VoidMode
from domain.question_bank.certainty import Certainty
from domain.question_bank.imported import NumericBand
from domain.question_bank.kinds import QuestionKind
from domain.question_bank.questions import AnswerKey, KeyedQuestion, Response
from domain.question_bank.scoring import MultiplePolicy, OrderingPolicy, ScoringPolicy
from tests.support.exam_builders import PACKAGE, SESSION, START, STUDENT, exam_session, later

LETTERS = "ABCDE"
_KINDS = st.sampled_from(QuestionKind)
_SHARES = st.decimals(min_value=0, max_value=1, places=3)

policies = st.builds(
    ScoringPolicy,
    penalty=_SHARES,
    guess_neutral=st.booleans(),
    multiple=st.sampled_from(MultiplePolicy),
    none_allowed=st.booleans(),
    ordering=st.sampled_from(OrderingPolicy),
)


@st.composite
def exam_rules(draw: st.DrawFn) -> ExamRules:
    certainty = draw(st.booleans())
    return ExamRules(
        certainty=certainty,
        scoring=draw(policies),
        allow_negative_total=draw(st.booleans()),
        cbm_official=certainty and draw(st.booleans()),
        pass_mark=draw(st.decimals(min_value=0, max_value=100, places=2)),
    )


@st.composite
def keyed(draw: st.DrawFn, kinds: st.SearchStrategy[QuestionKind] = _KINDS) -> KeyedQuestion:
    """A question with two to five choices where it has any; a right choice weighs at least nothing."""
    kind = draw(kinds)
    if kind is QuestionKind.NUMERIC:
        band = NumericBand(answer=Decimal(7), tol_abs=Decimal(1), tol_rel=Decimal(0), fraction=draw(_SHARES))
        return KeyedQuestion(kind=kind, choice_ids=(), key=AnswerKey(bands=(band,)))
    if kind is QuestionKind.SHORT_TEXT:
        return KeyedQuestion(kind=kind, choice_ids=(), key=AnswerKey(accepted=("dns",)))
    choices = tuple(LETTERS[: 2 if kind is QuestionKind.TRUE_FALSE else draw(st.integers(2, 5))])
    if kind is QuestionKind.ORDERING:
        return KeyedQuestion(kind=kind, choice_ids=choices, key=AnswerKey(correct=choices))
    if kind is QuestionKind.MATCHING:
        pairs = {"1": draw(st.sampled_from(choices)), "2": draw(st.sampled_from(choices))}
        key = AnswerKey(correct=choices, pairs=pairs)
        return KeyedQuestion(kind=kind, choice_ids=choices, prompt_ids=("1", "2"), key=key)
    right = draw(st.sets(st.sampled_from(choices), min_size=1))
    if kind is not QuestionKind.MULTIPLE:
        right = {draw(st.sampled_from(choices))}
    weights = {choice: draw(_SHARES) * (1 if choice in right else -1) for choice in choices}
    key = AnswerKey(correct=tuple(sorted(right)), weights=draw(st.sampled_from([None, weights])))
    return KeyedQuestion(kind=kind, choice_ids=choices, key=key)


@st.composite
def responses(draw: st.DrawFn, question: KeyedQuestion) -> Response | None:
    """What can be stored as an answer to the question; None is a blank one."""
    if draw(st.integers(0, 4)) == 0:
        return None
    if question.kind is QuestionKind.NUMERIC:
        return Response.counting(draw(st.sampled_from(["7", "8", "9", "-1"])))
    if question.kind is QuestionKind.SHORT_TEXT:
        return Response.writing(draw(st.sampled_from(["dns", "DNS ", "dhcp"])))
    if question.kind is QuestionKind.ORDERING:
        return Response.arranging(draw(st.permutations(question.choice_ids)))
    if question.kind is QuestionKind.MATCHING:
        chosen = st.sampled_from(question.choice_ids)
        return Response.matching(draw(st.dictionaries(st.sampled_from(question.prompt_ids), chosen, min_size=1)))
    some = st.sets(st.sampled_from(question.choice_ids), min_size=1)
    one = st.sampled_from(question.choice_ids).map(lambda choice: {choice})
    return Response.choosing(draw(some if question.kind is QuestionKind.MULTIPLE else one))


@st.composite
def graded_slots(draw: st.DrawFn, slot: int) -> GradedSlot:
    question = draw(keyed())
    response = draw(responses(question))
    return GradedSlot(
        slot=ExamSlot(
            user_id=STUDENT.user_id,
            session_id=SESSION,
            slot=slot,
            section=0,
            question_id=f"qst_{slot}",
            version=1,
            choice_order=question.choice_ids,
            max_mark=draw(st.decimals(min_value="0.0001", max_value=20, places=4)),
            response=response,
            revision=0 if response is None else 1,
            certainty=draw(st.none() | st.sampled_from(Certainty)),
            answered_at=None if response is None else START,
        ),
        question=question,
    )


@st.composite
def papers(draw: st.DrawFn, most: int = 6) -> tuple[GradedSlot, ...]:
    return tuple(draw(graded_slots(number)) for number in range(1, draw(st.integers(1, most)) + 1))


@st.composite
def voids(draw: st.DrawFn, paper: Sequence[GradedSlot], most: int = 4) -> tuple[Void, ...]:
    """Declarations about questions of the paper, also several about one, the oldest first."""
    return tuple(
        void_of(
            draw(st.sampled_from(paper)),
            draw(st.sampled_from(VoidMode)),
            draw(st.sets(st.sampled_from(LETTERS), min_size=1)),
            number=number,
        )
        for number in range(draw(st.integers(0, most)))
    )


def void_of(graded: GradedSlot, mode: VoidMode, accepted: Sequence[str] | set[str] = (), *, number: int = 1) -> Void:
    return Void(
        id=f"vod_{number}",
        exam_package_id=PACKAGE,
        question_id=graded.slot.question_id,
        version=graded.slot.version,
        mode=mode,
        accepted=tuple(sorted(accepted)) if mode is VoidMode.ACCEPT_ALSO else (),
        reason="it was wrong",
        created_at=later(seconds=number),
        created_by="usr_root",
    )


def handed_in(rules: ExamRules | None = None, **changes: object) -> ExamSession:
    """A session that waits for its grade."""
    sealed: dict[str, object] = {
        "status": ExamStatus.SUBMITTED,
        "sealed_at": later(minutes=5),
        "seal_reason": SealReason.STUDENT,
        "rules": rules or ExamRules(pass_mark=Decimal(50)),
    }
    return exam_session(**(sealed | changes))  # type: ignore[arg-type]
