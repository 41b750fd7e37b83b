"""Whether readiness keeps its word."""

from __future__ import annotations

from dataclasses import dataclass

from application.progress.ports.evidence import EvidenceReader
from domain.auth.people import Actor
from domain.progress.calibration import Calibration, calibrate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCalibration:
    """An administrator sees how the chances that students were shown compare with how their exams went."""

    evidence_reader: EvidenceReader

    async def __call__(self, actor: Actor, exam_package_id: str | None = None) -> Calibration:
        return calibrate(await self.evidence_reader.outcomes(exam_package_id))
