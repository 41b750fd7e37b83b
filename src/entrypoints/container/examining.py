"""Exams, by the names their callers ask for."""

from __future__ import annotations

from dependency_injector import providers

from adapters.postgres.exam.monitoring import PostgresMonitorReader
from adapters.postgres.exam.overseeing import PostgresOverseeWork
from adapters.postgres.exam.overseen import PostgresOverseeReader
from adapters.postgres.exam.quick import PostgresQuickExam
from adapters.postgres.exam.reading import PostgresExamReader
from adapters.postgres.exam.regrading import PostgresAffectedReader, PostgresRegradeWork
from adapters.postgres.exam.results import PostgresResultReader
from adapters.postgres.exam.starting import PostgresStartWork
from adapters.postgres.exam.statistics import PostgresStatisticsReader
from adapters.postgres.exam.suggestions import PostgresSuggestionReader, PostgresSuggestionWork
from adapters.postgres.exam.verifying import PostgresVerifyTransaction, PostgresVerifyWork
from adapters.postgres.transaction import PostgresTransaction
from application.exam.accommodating import ReadAccommodation, SetAccommodation
from application.exam.adjusting import AdjustTimes
from application.exam.answering import SaveAnswer
from application.exam.events import RecordEvent
from application.exam.flagging import FlagSession, ResolveFlag
from application.exam.history import ReadExamHistory
from application.exam.inspecting import ListAnswerHistory, ListOverseenSessions, ListSessionEvents, ReadOverseenSession
from application.exam.monitoring import ExamMonitor, MonitorTerms, WatchExams
from application.exam.overseeing import (
    AdjustTime,
    ForceSubmitExam,
    InvalidateExam,
    PauseExam,
    ReinstateExam,
    ReopenExam,
    ResumeExam,
    TerminateExam,
)
from application.exam.pausing import PauseOwnExam, ResumeOwnExam
from application.exam.pulse import Heartbeat
from application.exam.reading import ListExamSessions, ReadExamSession, ReadPaper
from application.exam.regrading import RegradeExam
from application.exam.results import ReadResult
from application.exam.starting import AuthoriseExam, StartExam
from application.exam.statistics import ReadStatistics, StatisticsMemory
from application.exam.submitting import SubmitExam
from application.exam.suggestions import DismissReviewSuggestion, ListReviewSuggestions, SuggestReviews
from application.exam.sweeping import LapseExam, SweepExams
from application.exam.verifying import VerifyExams
from application.exam.void_listing import ListVoids
from application.exam.voiding import RegardVoid, VoidQuestion
from entrypoints.container.studying import Studying

VERIFY_SECONDS = 60.0


class Examining(Studying):
    """Exams: sitting them, watching over them, and what they come to."""

    # exam, sitting
    exam_transaction = providers.Singleton(PostgresTransaction, Studying.database, PostgresStartWork, Studying.ids)
    exam_reader = providers.Singleton(PostgresExamReader, Studying.database)
    quick_exam = providers.Singleton(PostgresQuickExam, Studying.database, Studying.ids)
    start_exam = providers.Factory(
        StartExam, ids=Studying.ids, transact=exam_transaction, paper_reader=Studying.paper_reader
    )
    authorise_exam = providers.Factory(AuthoriseExam, ids=Studying.ids, transact=exam_transaction)
    save_answer = providers.Factory(SaveAnswer, transact=exam_transaction, ids=Studying.ids, quick=quick_exam)
    heartbeat = providers.Factory(
        Heartbeat, transact=exam_transaction, ids=Studying.ids, quick=quick_exam, start_exam=start_exam
    )
    record_event = providers.Factory(RecordEvent, transact=exam_transaction, ids=Studying.ids)
    submit_exam = providers.Factory(SubmitExam, transact=exam_transaction, ids=Studying.ids)
    pause_own_exam = providers.Factory(PauseOwnExam, transact=exam_transaction, ids=Studying.ids)
    resume_own_exam = providers.Factory(ResumeOwnExam, transact=exam_transaction, ids=Studying.ids)
    lapse_exam = providers.Factory(LapseExam, transact=exam_transaction, ids=Studying.ids)
    sweep_exams = providers.Factory(SweepExams, due_exams=exam_reader, lapse_exam=lapse_exam)
    read_exam_session = providers.Factory(ReadExamSession, exams=exam_reader, lapse_exam=lapse_exam)
    read_paper = providers.Factory(ReadPaper, exams=exam_reader, transact=exam_transaction, ids=Studying.ids)
    list_exam_sessions = providers.Factory(
        ListExamSessions, exams=exam_reader, due_exams=exam_reader, lapse_exam=lapse_exam
    )

    # exam, results
    exam_results = providers.Singleton(PostgresResultReader, Studying.database)
    read_result = providers.Factory(ReadResult, results=exam_results, lapse_exam=lapse_exam)
    read_exam_history = providers.Factory(
        ReadExamHistory, results=exam_results, due_exams=exam_reader, lapse_exam=lapse_exam
    )
    regrade_transaction = providers.Singleton(PostgresTransaction, Studying.database, PostgresRegradeWork, Studying.ids)
    affected_reader = providers.Singleton(PostgresAffectedReader, Studying.database)
    regrade_exam = providers.Factory(RegradeExam, transact=regrade_transaction, ids=Studying.ids)
    regard_void = providers.Factory(
        RegardVoid, transact=regrade_transaction, affected_reader=affected_reader, ids=Studying.ids
    )
    void_question = providers.Factory(
        VoidQuestion,
        transact=regrade_transaction,
        affected_reader=affected_reader,
        regard_void=regard_void,
        ids=Studying.ids,
    )
    list_voids = providers.Factory(ListVoids, affected_reader)

    # exam, oversight
    oversee_transaction = providers.Singleton(PostgresTransaction, Studying.database, PostgresOverseeWork, Studying.ids)
    oversee_reader = providers.Singleton(PostgresOverseeReader, Studying.database)
    pause_exam = providers.Factory(PauseExam, transact=oversee_transaction, ids=Studying.ids)
    resume_exam = providers.Factory(ResumeExam, transact=oversee_transaction, ids=Studying.ids)
    adjust_time = providers.Factory(AdjustTime, transact=oversee_transaction, ids=Studying.ids)
    adjust_times = providers.Factory(
        AdjustTimes, transact=oversee_transaction, oversee_reader=oversee_reader, ids=Studying.ids
    )
    force_submit_exam = providers.Factory(ForceSubmitExam, transact=oversee_transaction, ids=Studying.ids)
    terminate_exam = providers.Factory(TerminateExam, transact=oversee_transaction, ids=Studying.ids)
    invalidate_exam = providers.Factory(InvalidateExam, transact=oversee_transaction, ids=Studying.ids)
    reinstate_exam = providers.Factory(ReinstateExam, transact=oversee_transaction, ids=Studying.ids)
    reopen_exam = providers.Factory(ReopenExam, transact=oversee_transaction, ids=Studying.ids)
    flag_session = providers.Factory(FlagSession, transact=oversee_transaction, ids=Studying.ids)
    resolve_flag = providers.Factory(ResolveFlag, transact=oversee_transaction, ids=Studying.ids)
    set_accommodation = providers.Factory(SetAccommodation, transact=oversee_transaction, ids=Studying.ids)
    read_accommodation = providers.Factory(ReadAccommodation, oversee_reader=oversee_reader)
    list_overseen_sessions = providers.Factory(ListOverseenSessions, oversee_reader=oversee_reader)
    read_overseen_session = providers.Factory(ReadOverseenSession, oversee_reader=oversee_reader)
    list_session_events = providers.Factory(ListSessionEvents, oversee_reader=oversee_reader)
    list_answer_history = providers.Factory(ListAnswerHistory, oversee_reader=oversee_reader)

    # exam, statistics
    exam_statistics_reader = providers.Singleton(PostgresStatisticsReader, Studying.database)
    exam_statistics_memory = providers.Singleton(StatisticsMemory)
    read_exam_statistics = providers.Factory(
        ReadStatistics, reader=exam_statistics_reader, memory=exam_statistics_memory
    )
    suggestion_transaction = providers.Singleton(
        PostgresTransaction, Studying.database, PostgresSuggestionWork, Studying.ids
    )
    suggestion_reader = providers.Singleton(PostgresSuggestionReader, Studying.database)
    suggest_reviews = providers.Factory(SuggestReviews, reader=exam_statistics_reader, transact=suggestion_transaction)
    list_review_suggestions = providers.Factory(ListReviewSuggestions, suggestion_reader=suggestion_reader)
    dismiss_review_suggestion = providers.Factory(DismissReviewSuggestion, transact=suggestion_transaction)

    # exam, monitor
    monitor_terms = providers.Singleton(MonitorTerms)
    monitor_reader = providers.Singleton(PostgresMonitorReader, Studying.database)
    exam_monitor = providers.Singleton(ExamMonitor, monitor_reader, monitor_terms)
    watch_exams = providers.Factory(WatchExams, monitor=exam_monitor, people=Studying.auth_reader)
    verify_transaction = providers.Singleton(
        PostgresVerifyTransaction,
        Studying.database,
        PostgresVerifyWork,
        Studying.ids,
        deadline_seconds=VERIFY_SECONDS,
    )
    verify_exams = providers.Factory(VerifyExams, transact=verify_transaction)
