"""Crediting what students do: the day, the counters of a lifetime, and the badges, in the unit of work that does it."""

from __future__ import annotations

from dataclasses import replace

from application.progress.ports.activity import ActivityWork
from domain.progress.activity import Activity, StudyDay
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


async def take_back(work: ActivityWork, student: StudentProgress, *, source_id: str, answers: int) -> StudentProgress:
    """Takes back what a session counted that is declared invalid; the student is held.

    The badges that it brought are revoked if they are not reached any more. Days of study stay.
    """
    left = replace(student, questions_answered=max(0, student.questions_answered - answers))
    metrics = metrics_of(left, await work.study_days(left.user_id))
    for badge in lost(metrics, await work.badges(left.user_id), source_id):
        await work.save_badge(replace(badge, revoked_at=max(work.now, badge.awarded_at)))
    await work.save_progress(left)
    return left


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
