"""What estimates of a student need of their store. Units of work of practice speak these words too."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.ports import Work
from domain.progress.calibration import Outcomes
from domain.progress.evidence import PackageEvidence
from domain.progress.readiness import Prediction


class EvidenceWork(Work, Protocol):
    """What a student has shown in a package."""

    @abstractmethod
    async def evidence(self, user_id: str, exam_package_id: str) -> PackageEvidence | None:
        """As of `now`; answers that may not be judged yet are not in it. None when there is no such package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What an outlook is made of, and what became of all that were shown about the package before."""

    evidence: PackageEvidence
    outcomes: tuple[Outcomes, ...]


class ReadinessWork(EvidenceWork, Protocol):
    """The outlooks that a student was shown."""

    @abstractmethod
    async def grounds(self, user_id: str, exam_package_id: str) -> Grounds | None:
        """As `evidence`, in one round trip as well."""

    @abstractmethod
    async def hold_predictions(
        self, user_id: str, exam_package_id: str, shown_after: datetime
    ) -> tuple[Prediction, ...]:
        """The later ones; until the unit ends nobody else adds any for this student."""

    @abstractmethod
    async def add_prediction(self, prediction: Prediction) -> None: ...


class FacilityWork(Work, Protocol):
    """How all students did on each topic."""

    @abstractmethod
    async def count_facilities(self) -> None:
        """Count all judged answers anew, topic by topic."""


class EvidenceReader(Protocol):
    """What a student has shown in a package, and what became of all predictions, in one round trip each."""

    @abstractmethod
    async def evidence(self, user_id: str, exam_package_id: str) -> PackageEvidence | None:
        """As in `EvidenceWork`."""

    @abstractmethod
    async def outcomes(self, exam_package_id: str | None) -> tuple[Outcomes, ...]:
        """Predictions whose outcome is known, by the chance that was shown; of one package or of all."""
