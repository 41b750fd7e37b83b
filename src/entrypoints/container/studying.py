"""Practice and progress, by the names their callers ask for."""

from __future__ import annotations

from dependency_injector import providers

from adapters.postgres.practice.answering import PostgresQuickAnswers
from adapters.postgres.practice.reading import PostgresPracticeReader
from adapters.postgres.practice.sessions import PostgresPracticeWork
from adapters.postgres.practice.templates import PostgresTemplateReader, PostgresTemplateWork
from adapters.postgres.progress.evidence import (
    PostgresEvidenceReader,
    PostgresFacilityWork,
    PostgresReadinessWork,
)
from adapters.postgres.progress.flags import PostgresFlaggedQuestionReader, PostgresFlagWork
from adapters.postgres.progress.history import PostgresHistoryReader
from adapters.postgres.progress.profile import PostgresProfileReader, PostgresProfileWork
from adapters.postgres.progress.repetition import PostgresRepetitionWork
from adapters.postgres.transaction import PostgresTransaction
from adapters.scheduling.fsrs_scheduler import FsrsScheduler
from application.practice.answering import AnswerQuestion
from application.practice.attempts import ListAttempts, ScoreAttempts
from application.practice.dealing import DealPractice
from application.practice.invalidating import InvalidatePractice
from application.practice.overseeing import ListPracticeSessionsOf, OverseePractice
from application.practice.reading import ListPracticeSessions, ReadPracticeSession, ReviewPractice, SummarisePractice
from application.practice.sitting import FinishPractice, PausePractice, ResumePractice
from application.practice.starting import CreatePracticeSession
from application.practice.submitting import SubmitPractice
from application.practice.template_reading import ReadOfferedTemplate, ReadTemplate
from application.practice.templates import (
    ChangeTemplate,
    CreateTemplate,
    DeleteTemplate,
    ProvideTemplate,
    PublishTemplate,
    UnpublishTemplate,
)
from application.progress.badges import ListBadges
from application.progress.calibrating import ReadCalibration
from application.progress.estimating import CountFacilities, ReadWeakAreas, ShowReadiness
from application.progress.flagging import FlagQuestion, UnflagQuestion
from application.progress.history import ReadProgress
from application.progress.profile import ChangeStudentProfile, ReadStudentProfile
from application.progress.repeating import CatchUpReviews, ScheduleReviews
from application.progress.study_days import ReadStudyDays
from entrypoints.container.content import Content

FACILITIES_SECONDS = 300.0


class Studying(Content):
    """What students do with what there is to learn, and what they come to."""

    # progress, between sessions: reviews, flags, history
    schedule_reviews = providers.Factory(ScheduleReviews, providers.Singleton(FsrsScheduler))
    repetition_transaction = providers.Singleton(
        PostgresTransaction, Content.database, PostgresRepetitionWork, Content.ids
    )
    catch_up_reviews = providers.Factory(CatchUpReviews, repetition_transaction, schedule_reviews)
    flagged_question_reader = providers.Singleton(PostgresFlaggedQuestionReader, Content.database)
    flag_transaction = providers.Singleton(PostgresTransaction, Content.database, PostgresFlagWork, Content.ids)
    flag_question = providers.Factory(FlagQuestion, flag_transaction)
    unflag_question = providers.Factory(UnflagQuestion, flag_transaction)
    history_reader = providers.Singleton(PostgresHistoryReader, Content.database)
    read_progress = providers.Factory(
        ReadProgress, transact=repetition_transaction, schedule_reviews=schedule_reviews, history=history_reader
    )

    # practice
    practice_reader = providers.Singleton(PostgresPracticeReader, Content.database)
    practice_transaction = providers.Singleton(PostgresTransaction, Content.database, PostgresPracticeWork, Content.ids)
    create_practice_session = providers.Factory(
        CreatePracticeSession, ids=Content.ids, transact=practice_transaction, schedule_reviews=schedule_reviews
    )
    quick_answers = providers.Singleton(PostgresQuickAnswers, Content.database)
    answer_question = providers.Factory(AnswerQuestion, transact=practice_transaction, quick=quick_answers)
    invalidate_practice = providers.Factory(InvalidatePractice, transact=practice_transaction)
    list_practice_sessions_of = providers.Factory(ListPracticeSessionsOf, practice=practice_reader)
    oversee_practice = providers.Factory(OverseePractice, practice=practice_reader)
    pause_practice = providers.Factory(PausePractice, practice_transaction)
    resume_practice = providers.Factory(ResumePractice, practice_transaction)
    finish_practice = providers.Factory(FinishPractice, practice_transaction)
    submit_practice = providers.Factory(SubmitPractice, practice_transaction)
    read_practice_session = providers.Factory(ReadPracticeSession, practice_reader)
    list_practice_sessions = providers.Factory(ListPracticeSessions, practice_reader)
    review_practice = providers.Factory(ReviewPractice, practice_reader)
    summarise_practice = providers.Factory(SummarisePractice, practice_reader)
    deal_practice = providers.Factory(
        DealPractice, ids=Content.ids, transact=practice_transaction, create=create_practice_session
    )
    list_attempts = providers.Factory(ListAttempts, practice_reader)
    score_attempts = providers.Factory(ScoreAttempts, practice_reader)

    # practice, templates
    template_reader = providers.Singleton(PostgresTemplateReader, Content.database)
    template_transaction = providers.Singleton(PostgresTransaction, Content.database, PostgresTemplateWork, Content.ids)
    read_template = providers.Factory(ReadTemplate, template_reader=template_reader)
    read_offered_template = providers.Factory(ReadOfferedTemplate, template_reader=template_reader)
    create_template = providers.Factory(CreateTemplate, transact=template_transaction, ids=Content.ids)
    change_template = providers.Factory(ChangeTemplate, transact=template_transaction)
    publish_template = providers.Factory(PublishTemplate, transact=template_transaction)
    unpublish_template = providers.Factory(UnpublishTemplate, transact=template_transaction)
    delete_template = providers.Factory(DeleteTemplate, transact=template_transaction)
    provide_template = providers.Factory(ProvideTemplate, transact=template_transaction, ids=Content.ids)

    # progress, profile and badges
    profile_reader = providers.Singleton(PostgresProfileReader, Content.database)
    profile_transaction = providers.Singleton(PostgresTransaction, Content.database, PostgresProfileWork, Content.ids)
    read_student_profile = providers.Factory(ReadStudentProfile, profile_reader=profile_reader)
    change_student_profile = providers.Factory(ChangeStudentProfile, transact=profile_transaction)
    read_study_days = providers.Factory(ReadStudyDays, profile_reader=profile_reader)
    list_badges = providers.Factory(ListBadges, profile_reader=profile_reader)

    # progress, weak areas and readiness
    evidence_reader = providers.Singleton(PostgresEvidenceReader, Content.database)
    readiness_transaction = providers.Singleton(
        PostgresTransaction, Content.database, PostgresReadinessWork, Content.ids
    )
    facility_transaction = providers.Singleton(
        PostgresTransaction,
        Content.database,
        PostgresFacilityWork,
        Content.ids,
        deadline_seconds=FACILITIES_SECONDS,
    )
    read_weak_areas = providers.Factory(ReadWeakAreas, evidence_reader=evidence_reader)
    show_readiness = providers.Factory(ShowReadiness, transact=readiness_transaction, ids=Content.ids)
    read_calibration = providers.Factory(ReadCalibration, evidence_reader=evidence_reader)
    count_facilities = providers.Factory(CountFacilities, transact=facility_transaction)
