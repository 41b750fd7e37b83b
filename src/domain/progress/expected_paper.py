"""What an exam of a package is expected to ask: how many questions of each topic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from domain.progress.evidence import PackageEvidence
from domain.question_bank.blueprints import MAX_PAPER, Blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPaper:
    """Questions by topic, and each topic's exact share of the paper (0 to 1), which need not be a whole question."""

    questions: Mapping[str | None, int]
    shares: Mapping[str | None, Fraction]

    @property
    def total(self) -> int:
        return sum(self.questions.values())

    def weight(self, topic_id: str | None) -> float:
        return float(self.shares.get(topic_id, Fraction(0)))


def expected_paper(package: PackageEvidence) -> ExpectedPaper:
    """As the blueprint says. Without one: in proportion to what is published.

    Then there are as many questions as the package says, or else all that are published, as far as a paper goes. A
    section that names no topic is spread over the topics in the same proportion, whatever difficulty it asks for.
    """
    published = {topic.id: topic.published for topic in package.topics if topic.published > 0}
    named, free = _asked(package, sum(published.values()))
    questions = Counter(named)
    questions.update(apportion(free, published))
    return ExpectedPaper(questions=questions, shares=_shares(named, free, published))


def apportion(seats: int, weights: Mapping[str | None, int]) -> Mapping[str | None, int]:
    """So many whole seats in proportion to the weights, by largest remainders (Hamilton); ties go by weight, then id.

    Where nothing has weight, all seats go to None.
    """
    whole = sum(weights.values())
    if whole <= 0:
        return {None: seats} if seats else {}
    given = {key: seats * part // whole for key, part in weights.items()}
    by_remainder = sorted(weights, key=lambda key: (-(seats * weights[key] % whole), -weights[key], key or ""))
    for key in by_remainder[: seats - sum(given.values())]:
        given[key] += 1
    return given


def _asked(package: PackageEvidence, published: int) -> tuple[Mapping[str | None, int], int]:
    """How many questions of named topics, and how many of any."""
    if package.blueprint is None:
        return {}, min(package.settings.question_count or MAX_PAPER, published)
    return _by_section(package.blueprint)


def _by_section(blueprint: Blueprint) -> tuple[Mapping[str | None, int], int]:
    named: Counter[str | None] = Counter()
    free = 0
    for section in blueprint.sections:
        if section.topic_id is None:
            free += section.count
        else:
            named[section.topic_id] += section.count
    return named, free


def _shares(
    named: Mapping[str | None, int], free: int, published: Mapping[str | None, int]
) -> Mapping[str | None, Fraction]:
    total, whole = sum(named.values()) + free, sum(published.values())
    if total == 0:
        return {}
    shares = {key: Fraction(count, total) for key, count in named.items()}
    for key, part in published.items():
        shares[key] = shares.get(key, Fraction(0)) + Fraction(free * part, total * whole)
    return shares
