"""Weak areas and readiness. Thousands of answers take some milliseconds, in which the loop serves others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from application.jobs import Payload
from application.ports import IdGenerator, Transaction
from application.progress.ports.evidence import EvidenceReader, EvidenceWork, FacilityWork, ReadinessWork
from domain.auth.people import Actor
from domain.enrollment.refusals import EnrollmentRequired, PackageNotFound
from domain.progress.evidence import PackageEvidence
from domain.progress.readiness import SHOWN_AGAIN, Prediction, Readiness, assess, rounded
from domain.progress.weak_areas import WeakArea, weak_areas, weak_topics


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakAreaView:
    """Where a student stands in a topic, with the middle 80 % of what is believed."""

    area: WeakArea
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWeakAreas:
    """A student who is or was enrolled in a package sees where they stand, topic by topic, the most urgent first."""

    evidence_reader: EvidenceReader

    async def __call__(self, actor: Actor, exam_package_id: str) -> tuple[WeakAreaView, ...]:
        found = await self.evidence_reader.evidence(actor.user_id, exam_package_id)
        return await asyncio.to_thread(_views, _accessible(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowReadiness:
    """A student who is or was enrolled in a package sees how likely they would pass its exam, if enough is known.

    What is shown is kept, to be held against the exam later; the same numbers within a day are kept once. Where such
    chances did not come true, it is said with them.
    """

    transact: Transaction[ReadinessWork]
    ids: IdGenerator

    async def __call__(self, actor: Actor, exam_package_id: str) -> Readiness:
        prediction_id = self.ids.new("rdy")

        async def show(work: ReadinessWork) -> Readiness:
            grounds = await work.grounds(actor.user_id, exam_package_id)
            if grounds is None:
                raise PackageNotFound
            found = _accessible(grounds.evidence)
            readiness = rounded(await asyncio.to_thread(assess, found, grounds.outcomes))
            if readiness.outlook is not None:
                prediction = Prediction(
                    user_id=actor.user_id,
                    id=prediction_id,
                    exam_package_id=exam_package_id,
                    shown_at=work.now,
                    p_pass=readiness.outlook.p_pass,
                    expected=readiness.outlook.expected,
                    lowest=readiness.outlook.lowest,
                    highest=readiness.outlook.highest,
                    need=readiness.need,
                    questions=readiness.questions,
                    coverage=readiness.coverage,
                )
                await _keep(work, prediction)
            return readiness

        return await self.transact(show)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacilities:
    """From time to time it is counted anew how all students do on each topic, which is where beliefs begin."""

    transact: Transaction[FacilityWork]

    async def __call__(self, _: Payload) -> None:
        await self.transact(lambda work: work.count_facilities())


async def weak_topic_ids(work: EvidenceWork, user_id: str, exam_package_id: str) -> tuple[str, ...]:
    """The topics of a package that the student is weak in, the most urgent first; none where there is no package."""
    found = await work.evidence(user_id, exam_package_id)
    return () if found is None else await asyncio.to_thread(weak_topics, found)


def _views(package: PackageEvidence) -> tuple[WeakAreaView, ...]:
    return tuple(WeakAreaView(area=area, interval=area.belief.interval()) for area in weak_areas(package))


def _accessible(found: PackageEvidence | None) -> PackageEvidence:
    """Who never was enrolled has nothing to be told; of a hidden package not even that it is there."""
    if found is None or not (found.visible or found.enrolled):
        raise PackageNotFound
    if not found.enrolled:
        raise EnrollmentRequired("Only who is or was enrolled in the exam package has something to see here.")
    return found


async def _keep(work: ReadinessWork, prediction: Prediction) -> None:
    shown = await work.hold_predictions(
        prediction.user_id, prediction.exam_package_id, prediction.shown_at - SHOWN_AGAIN
    )
    if not any(prediction.says_the_same_as(earlier) for earlier in shown):
        await work.add_prediction(prediction)
