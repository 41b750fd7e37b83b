"""Which topics a student is weak in: what is believed about the share that would be answered rightly, topic by topic.

The belief is a beta distribution: a prior from how all students do, to which every answer adds its weight (the
conjugate of Bernoulli trials, see Gelman et al., Bayesian Data Analysis, 3rd ed., §2.4; fractional answers and decayed
weights enter as parts of a trial).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.progress.beta import beta_cdf, beta_quantile
from domain.progress.evidence import NO_EVIDENCE, Facility, PackageEvidence, PackageTopic, TopicEvidence, gather
from domain.progress.expected_paper import expected_paper

PRIOR_STRENGTH = 4.0
ENOUGH_RESPONSES = 30
ENOUGH_EVIDENCE = 5.0
WEAK_FROM = 0.80
STRONG_UP_TO = 0.20
_LEAST_PRIOR, _MOST_PRIOR, _UNKNOWN_PRIOR = 0.2, 0.9, 0.5
_LOW_TAIL, _HIGH_TAIL = 0.1, 0.9


class TopicClass(StrEnum):
    """What is known of a student in a topic. Unknown: not enough evidence to say."""

    UNKNOWN = "unknown"
    WEAK = "weak"
    DEVELOPING = "developing"
    STRONG = "strong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Beta(a, b) for the share that the student would answer rightly; `effective` = Σw, the weight of the evidence."""

    a: float
    b: float
    effective: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    @property
    def is_founded(self) -> bool:
        """Whether there is enough evidence to say anything."""
        return self.effective >= ENOUGH_EVIDENCE

    def below(self, threshold: float) -> float:
        """How likely the share lies below the threshold."""
        return beta_cdf(threshold, self.a, self.b)

    def interval(self) -> tuple[float, float]:
        """The middle 80 %: one chance in ten on either side."""
        return beta_quantile(_LOW_TAIL, self.a, self.b), beta_quantile(_HIGH_TAIL, self.a, self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakArea:
    """Where a student stands in a topic. `raw` is the plain mean of all its answers, None where there is none.

    `p_below`: how likely the share lies below the pass mark. `weight`: the topic's part of an exam, from 0 to 1.
    """

    topic_id: str
    name: str
    class_: TopicClass
    belief: Belief
    p_below: float
    weight: float
    answers: int
    raw: float | None

    @property
    def priority(self) -> float:
        return self.weight * self.p_below


def classify(belief: Belief, p_below: float) -> TopicClass:
    """Weak and strong only where the evidence is enough and the odds are four to one."""
    if not belief.is_founded:
        return TopicClass.UNKNOWN
    if p_below >= WEAK_FROM:
        return TopicClass.WEAK
    return TopicClass.STRONG if p_below <= STRONG_UP_TO else TopicClass.DEVELOPING


def prior_mean(topic: Facility, package: Facility) -> float:
    """How all students do on the topic; where too few answered it, on the package; where too few did that, one half."""
    known = next((each for each in (topic, package) if each.responses >= ENOUGH_RESPONSES), None)
    share = _UNKNOWN_PRIOR if known is None else known.earned / known.responses
    return min(_MOST_PRIOR, max(_LEAST_PRIOR, share))


def believe(prior: float, evidence: TopicEvidence = NO_EVIDENCE) -> Belief:
    """a = κ·m₀ + Σw·f, b = κ·(1 − m₀) + Σw·(1 − f), where m₀ is the prior mean and κ = 4 answers its weight."""
    return Belief(
        a=PRIOR_STRENGTH * prior + evidence.earned,
        b=PRIOR_STRENGTH * (1.0 - prior) + max(0.0, evidence.effective - evidence.earned),
        effective=evidence.effective,
    )


def beliefs(package: PackageEvidence) -> Mapping[str | None, Belief]:
    """What is believed of every topic of the package and of its blueprint.

    Questions without a topic are one of their own, None. Of a topic that no visible bank has the prior is left.
    """
    return _beliefs(package, gather(package.answers, package.at))


def weak_areas(package: PackageEvidence) -> tuple[WeakArea, ...]:
    """Every topic, the most urgent first: by weight in the exam times the chance to lie below the pass mark.

    Ties are broken by the smaller mean, then by id. Not listed: questions without a topic, as they are no area that
    could be worked on, and topics that have no question and never had one for this student.
    """
    gathered = gather(package.answers, package.at)
    believed = _beliefs(package, gathered)
    paper = expected_paper(package)
    threshold = float(package.pass_mark) / 100.0
    areas = (
        _area(topic.id, topic, believed[topic.id], threshold, paper.weight(topic.id), gathered.get(topic.id))
        for topic in package.topics
        if topic.id is not None and (topic.published or topic.id in gathered or topic.id in paper.questions)
    )
    return tuple(sorted(areas, key=lambda area: (-area.priority, area.belief.mean, area.topic_id)))


def weak_topics(package: PackageEvidence) -> tuple[str, ...]:
    """The ids of the weak ones, the most urgent first."""
    return tuple(area.topic_id for area in weak_areas(package) if area.class_ is TopicClass.WEAK)


def _beliefs(package: PackageEvidence, gathered: Mapping[str | None, TopicEvidence]) -> Mapping[str | None, Belief]:
    overall = _together(topic.facility for topic in package.topics)
    facilities: dict[str | None, Facility] = {None: Facility()}
    if package.blueprint is not None:
        facilities.update((section.topic_id, Facility()) for section in package.blueprint.sections)
    facilities.update((topic.id, topic.facility) for topic in package.topics)
    return {
        topic_id: believe(prior_mean(facility, overall), gathered.get(topic_id, NO_EVIDENCE))
        for topic_id, facility in facilities.items()
    }


def _area(
    topic_id: str, topic: PackageTopic, belief: Belief, threshold: float, weight: float, found: TopicEvidence | None
) -> WeakArea:
    p_below = belief.below(threshold)
    return WeakArea(
        topic_id=topic_id,
        name=topic.name or topic_id,
        class_=classify(belief, p_below),
        belief=belief,
        p_below=p_below,
        weight=weight,
        answers=0 if found is None else found.answers,
        raw=None if found is None else found.total / found.answers,
    )


def _together(facilities: Iterable[Facility]) -> Facility:
    responses, earned = 0, 0.0
    for facility in facilities:
        responses += facility.responses
        earned += facility.earned
    return Facility(responses=responses, earned=earned)
