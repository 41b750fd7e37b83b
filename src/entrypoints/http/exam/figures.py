"""The figures of live exams for Prometheus."""

from __future__ import annotations

from application.exam.ports.monitoring import MonitorReader
from domain.exam.sessions import ExamStatus
from entrypoints.http.metrics import StoreGauge


async def exam_gauges(monitor_reader: MonitorReader) -> tuple[StoreGauge, ...]:
    """How many exams are live, and how far the sweeper is behind."""
    figures = await monitor_reader.figures()
    live = {status.value: float(figures.live.get(status, 0)) for status in ExamStatus if status.is_live}
    lag = {"": figures.sweep_lag_seconds}
    return (
        StoreGauge(name="ace_exam_sessions_live", meaning="Live exam sessions", label="status", values=live),
        StoreGauge(
            name="ace_exam_sweep_lag_seconds",
            meaning="For how long the session that is due longest waits to be swept",
            values=lag,
        ),
    )
