"""`ace exam verify`: whether what is stored of exams is what their records say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import click
import msgspec

from application.exam.ports.verifying import ChosenExams
from application.exam.verifying import ExamRecordBroken, Verified, VerifiedExam, VerifyExams
from entrypoints.cli.support import database, use
from entrypoints.container import Container

_TOLD_AT_MOST = 1_000
_PROGRESS_EVERY = 1_000


@dataclass(slots=True)
class _Report:
    """What was found, as it is found: printed at once, or kept for a document, the first thousand sessions of it."""

    as_json: bool
    broken: list[VerifiedExam] = field(default_factory=list)
    sessions: int = 0

    def take(self, exam: VerifiedExam) -> None:
        self.sessions += 1
        if exam.findings and self.as_json and len(self.broken) < _TOLD_AT_MOST:
            self.broken.append(exam)
        if exam.findings and not self.as_json:
            for line in _lines(exam):
                click.echo(line)
        if self.sessions % _PROGRESS_EVERY == 0 and sys.stderr.isatty():
            click.echo(f"{self.sessions} sessions …", err=True)


@click.command()
@click.option("--session", metavar="USER/ID", help="One session: its student's id, a slash, its own id.")
@click.option("--package", metavar="ID|SLUG", help="Every session of one exam package.")
@click.option("--all", "everything", is_flag=True, help="Every session that there is.")
@click.option("--json", "as_json", is_flag=True, help="Tell what was found as JSON.")
def verify(session: str | None, package: str | None, *, everything: bool, as_json: bool) -> None:
    """Verify exams: the chain of their records, every answer, and every mark of every grade.

    Ends with 1 and `exam.record_broken` where something is not as the record says, and tells in which session, what and
    where. It only reads, and exams go on meanwhile.
    """
    if sum((session is not None, package is not None, everything)) != 1:
        raise click.UsageError("Name what to verify with one of --session, --package and --all.")
    if session is not None and not all(session.partition("/")):
        raise click.BadParameter("A student's id, a slash, and the session's own id.", param_hint="--session")
    report = _Report(as_json)
    with database() as settings:
        verified = use(settings, _verification(session, package, report))
        if as_json:
            click.echo(msgspec.json.encode(_document(verified, report)).decode())
        else:
            click.echo(
                f"{verified.sessions} sessions, {verified.entries} entries, {verified.grades} grades: "
                f"{verified.broken or 'none'} broken"
            )
        if verified.broken:
            raise ExamRecordBroken(f"{verified.broken} of {verified.sessions} sessions are not what their records say")


def _verification(session: str | None, package: str | None, report: _Report) -> Callable[[Container], Any]:
    async def verify_chosen(container: Container) -> Verified:
        verify_exams: VerifyExams = container.verify_exams()
        if package is not None:
            return await verify_exams.of_package(package, report.take)
        if session is None:
            return await verify_exams.all(ChosenExams(), report.take)
        user_id, _, session_id = session.partition("/")
        exam = await verify_exams.one(user_id, session_id)
        report.take(exam)
        return Verified().with_(exam)

    return verify_chosen


def _lines(exam: VerifiedExam) -> list[str]:
    head = f"{exam.user_id}/{exam.session_id}"
    return [
        f"{head}: {found.fault.value} at {found.where}: expected {found.expected}, found {found.found}"
        for found in exam.findings
    ]


def _document(verified: Verified, report: _Report) -> dict[str, Any]:
    found = [
        {
            "userId": exam.user_id,
            "sessionId": exam.session_id,
            "examPackageId": exam.exam_package_id,
            "findings": exam.findings,
        }
        for exam in report.broken
    ]
    return {
        "sessions": verified.sessions,
        "entries": verified.entries,
        "grades": verified.grades,
        "broken": verified.broken,
        "found": found,
    }
