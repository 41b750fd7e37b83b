"""Crediting what students do: the day, the counters of a lifetime, and the badges, in the unit of work that does it."""

from __future__ import annotations

from dataclasses import replace

from application.progress.ports.activity import ActivityWork
from domain.progress.activity import Activity, ActivityKind, ExamOutcome, StudyDay
from domain.progress.badges import Badge, answer_thresholds, due, lost, metrics_of
from domain.progress.days import constant_until, local_day
from domain.progress.students import StudentProgress


async def credit(work: ActivityWork, student: StudentProgress, activity: Activity) -> StudentProgress:
    """Credits a student, who is held, with what they have just done: their day by their own clock, and what it counts.

    A badge that is reached by it is awarded at once.
    """
    counted = student.with_activity(activity, work.now)
    credited = await _credit_day(work, counted, activity)
    if credited is not counted or _may_be_due(student, credited):
        await _award(work, credited, activity.source_id)
    await work.save_progress(credited)
    return credited


async def take_back(work: ActivityWork, student: StudentProgress, *, answers: int) -> StudentProgress:
    """Takes back what a session counted that is declared invalid; the student is held.

    Badges that are not reached any more are revoked, whichever session brought them. Days of study stay.
    """
    left = replace(student, questions_answered=max(0, student.questions_answered - answers))
    metrics = metrics_of(left, await work.study_days(left.user_id))
    for badge in lost(metrics, await work.badges(left.user_id)):
        await work.save_badge(replace(badge, revoked_at=max(work.now, badge.awarded_at)))
    await work.save_progress(left)
    return left


async def credit_exam(work: ActivityWork, student: StudentProgress, outcome: ExamOutcome) -> StudentProgress:
    """Credits a student, who is held, with an exam that is finished by now and counts."""
    activity = Activity(
        kind=ActivityKind.EXAM_SEALED,
        source_id=outcome.session_id,
        answers=outcome.answers,
        passed=outcome.passed,
        perfect=outcome.perfect,
    )
    if outcome.by_student:
        return await credit(work, student, activity)
    counted = student.with_activity(activity, student.last_activity_at or work.now)
    await _award(work, counted, outcome.session_id)
    await work.save_progress(counted)
    return counted


async def take_back_exam(work: ActivityWork, student: StudentProgress, outcome: ExamOutcome) -> StudentProgress:
    """Takes back what an exam counted that does not count any more, or counts differently; days of study stay."""
    left = replace(
        student,
        exams_finished=max(0, student.exams_finished - 1),
        exams_passed=max(0, student.exams_passed - outcome.passed),
        perfect_exams=max(0, student.perfect_exams - outcome.perfect),
    )
    return await take_back(work, left, answers=outcome.answers)


async def recredit_exam(
    work: ActivityWork, student: StudentProgress, before: ExamOutcome, after: ExamOutcome
) -> StudentProgress:
    """Credits a student, who is held, with another outcome of an exam that counts before and after: graded again.

    Only the difference is counted, so that a badge that stays earned stays as it was. Nobody studied by it.
    """
    changed = replace(
        student,
        questions_answered=max(0, student.questions_answered + after.answers - before.answers),
        exams_passed=max(0, student.exams_passed + after.passed - before.passed),
        perfect_exams=max(0, student.perfect_exams + after.perfect - before.perfect),
    )
    if changed == student:
        return student
    metrics = metrics_of(changed, await work.study_days(changed.user_id))
    for badge in lost(metrics, await work.badges(changed.user_id)):
        await work.save_badge(replace(badge, revoked_at=max(work.now, badge.awarded_at)))
    await _award(work, changed, after.session_id)
    await work.save_progress(changed)
    return changed


async def _credit_day(work: ActivityWork, student: StudentProgress, activity: Activity) -> StudentProgress:
    """The same student as long as it is the day that was credited last."""
    if student.day_is_known(work.now):
        return student
    day = local_day(work.now, student.time_zone, student.day_start_hour)
    await work.add_study_day(
        StudyDay(
            user_id=student.user_id,
            day=day,
            credited_at=work.now,
            kind=activity.kind,
            source_id=activity.source_id,
        )
    )
    until = constant_until(work.now, student.time_zone, student.day_start_hour)
    return replace(student, last_day=day, credited_from=work.now, credited_until=until)


def _may_be_due(before: StudentProgress, after: StudentProgress) -> bool:
    """Whether a counter has come to where a badge may be, so that most answers need not look at the badges."""
    reached = (before.questions_answered < each <= after.questions_answered for each in answer_thresholds())
    return after.exams_finished > before.exams_finished or any(reached)


async def _award(work: ActivityWork, student: StudentProgress, source_id: str) -> None:
    metrics = metrics_of(student, await work.study_days(student.user_id))
    for definition in due(metrics, await work.badges(student.user_id)):
        await work.save_badge(
            Badge(
                user_id=student.user_id,
                code=definition.code,
                version=definition.version,
                metric=definition.metric,
                value=metrics[definition.metric],
                source_id=source_id,
                awarded_at=work.now,
            )
        )
