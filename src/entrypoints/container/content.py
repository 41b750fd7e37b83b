"""Packages and question bank, by the names their callers ask for."""

from __future__ import annotations

from dependency_injector import providers

from adapters.files.demo_files import demo_file
from adapters.files.html_sanitiser import AllowListSanitiser
from adapters.files.question_files import QuestionFilesByFormat
from adapters.files.question_writers import QuestionWritersByFormat
from adapters.postgres.enrollment.enrolling import (
    PostgresEnrollmentReader,
    PostgresEnrollmentWork,
    PostgresExpiringWork,
)
from adapters.postgres.enrollment.packages import PostgresPackageReader, PostgresPackageWork
from adapters.postgres.question_bank.authoring import PostgresAuthoringWork
from adapters.postgres.question_bank.exporting import PostgresExportTransaction
from adapters.postgres.question_bank.import_register import (
    PostgresCancelWork,
    PostgresImportReader,
    PostgresImportRegister,
)
from adapters.postgres.question_bank.import_rows import ImportRows
from adapters.postgres.question_bank.imports import PostgresImportTransaction
from adapters.postgres.question_bank.indexing import PostgresIndexingWork
from adapters.postgres.question_bank.listing import PostgresPublishedQuestionReader, PostgresQuestionListReader
from adapters.postgres.question_bank.near_duplicates import PostgresComparingWork, PostgresNearDuplicateReader
from adapters.postgres.question_bank.papers import PostgresPaperReader
from adapters.postgres.question_bank.reading import PostgresQuestionReader
from adapters.postgres.question_bank.rehashing import PostgresContentHashes
from adapters.postgres.question_bank.taxonomy import PostgresTaxonomyReader, PostgresTaxonomyWork
from adapters.postgres.transaction import PostgresTransaction, PostgresWork
from adapters.system.import_process import ImportProcesses
from application.enrollment.administering import (
    ChangeEnrollment,
    EndEnrollment,
    EnrollStudent,
    ListEnrolled,
    ListEnrollmentsOf,
)
from application.enrollment.current import ReadCurrentEnrollment
from application.enrollment.defining import DefinePackage
from application.enrollment.enrolling import CancelEnrollment, Enroll, UpgradeEnrollment
from application.enrollment.expiring import ExpireEnrollments
from application.enrollment.managing import ChangePackage, CreatePackage, DeletePackage
from application.enrollment.package_reading import ReadOfferedPackage, ReadPackage
from application.enrollment.tiers import AddTier, ChangeTier, DeleteTier
from application.question_bank.authoring import (
    ArchiveQuestion,
    CreateQuestion,
    DeleteQuestion,
    EditQuestion,
    RedraftQuestion,
)
from application.question_bank.exporting import ExportQuestions
from application.question_bank.import_reading import CancelImport, ListImports, ReadImport, ReadRejects
from application.question_bank.imports import ImportQuestions
from application.question_bank.indexing import IndexQuestions
from application.question_bank.long_imports import ImportInTime
from application.question_bank.near_duplicates import CompareQuestions, ReadNearDuplicates
from application.question_bank.papers import PreviewPaper
from application.question_bank.reading import (
    CompareVersions,
    ListReviews,
    ListVersions,
    ReadPublishedQuestion,
    ReadQuestion,
    ReadVersion,
)
from application.question_bank.rehashing import RehashQuestions
from application.question_bank.reviewing import (
    ApproveQuestion,
    PublishQuestion,
    RequestChanges,
    SubmitForReview,
    WithdrawFromReview,
)
from application.question_bank.taxonomy import (
    ChangeBank,
    CreateBank,
    CreateTopic,
    DeleteBank,
    DeleteTopic,
    ReadBank,
    RenameDifficulty,
    RenameTopic,
)
from entrypoints.container.access import Access

IMPORT_SECONDS = 900.0
EXPORT_SECONDS = 900.0


class Content(Access):
    """What is learnt: packages and the question bank."""

    # enrollment
    package_reader = providers.Singleton(PostgresPackageReader, Access.database)
    enrollment_reader = providers.Singleton(PostgresEnrollmentReader, Access.database)
    package_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresPackageWork, Access.ids)
    enrollment_transaction = providers.Singleton(
        PostgresTransaction, Access.database, PostgresEnrollmentWork, Access.ids
    )
    define_package = providers.Factory(DefinePackage, package_transaction, Access.ids)
    read_offered_package = providers.Factory(ReadOfferedPackage, package_reader=package_reader)
    read_package = providers.Factory(ReadPackage, package_reader=package_reader)
    create_package = providers.Factory(CreatePackage, transact=package_transaction, ids=Access.ids)
    change_package = providers.Factory(ChangePackage, transact=package_transaction)
    delete_package = providers.Factory(DeletePackage, transact=package_transaction)
    add_tier = providers.Factory(AddTier, transact=package_transaction, ids=Access.ids)
    change_tier = providers.Factory(ChangeTier, transact=package_transaction)
    delete_tier = providers.Factory(DeleteTier, transact=package_transaction)
    enroll = providers.Factory(Enroll, enrollment_transaction, Access.ids)
    upgrade_enrollment = providers.Factory(UpgradeEnrollment, enrollment_transaction, Access.ids)
    cancel_enrollment = providers.Factory(CancelEnrollment, enrollment_transaction)
    enroll_student = providers.Factory(EnrollStudent, transact=enrollment_transaction, ids=Access.ids)
    change_enrollment = providers.Factory(ChangeEnrollment, transact=enrollment_transaction, ids=Access.ids)
    end_enrollment = providers.Factory(EndEnrollment, transact=enrollment_transaction)
    read_current_enrollment = providers.Factory(ReadCurrentEnrollment, reader=enrollment_reader)
    list_enrollments_of = providers.Factory(ListEnrollmentsOf, reader=enrollment_reader)
    list_enrolled = providers.Factory(ListEnrolled, reader=enrollment_reader)
    expiring_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresExpiringWork, Access.ids)
    expire_enrollments = providers.Singleton(ExpireEnrollments, transact=expiring_transaction)

    # question_bank
    question_files = providers.Singleton(QuestionFilesByFormat)
    demo_file = providers.Callable(demo_file)
    import_reader = providers.Singleton(PostgresImportReader, Access.database)
    import_transaction = providers.Singleton(
        PostgresImportTransaction, Access.database, Access.ids, deadline_seconds=IMPORT_SECONDS
    )
    import_reading = providers.Singleton(ImportProcesses, providers.Singleton(ImportRows, Access.ids))
    import_register = providers.Singleton(PostgresImportRegister, Access.database)
    import_questions = providers.Factory(
        ImportQuestions, import_transaction, Access.ids, import_reading, import_register
    )
    import_in_time = providers.Singleton(ImportInTime, import_questions, import_reader, Access.ids)
    read_import = providers.Factory(ReadImport, import_reader)
    list_imports = providers.Factory(ListImports, import_reader)
    read_rejects = providers.Factory(ReadRejects, import_reader)
    cancel_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresCancelWork, Access.ids)
    cancel_import = providers.Factory(CancelImport, import_reader, cancel_transaction)

    # question_bank, exports
    export_look = providers.Singleton(
        PostgresExportTransaction, Access.database, Access.ids, deadline_seconds=EXPORT_SECONDS
    )
    export_record = providers.Singleton(PostgresTransaction, Access.database, PostgresWork, Access.ids)
    question_writers = providers.Singleton(QuestionWritersByFormat)
    export_questions = providers.Singleton(ExportQuestions, export_look, export_record, question_writers)

    # question_bank, authoring
    html_sanitiser = providers.Singleton(AllowListSanitiser)
    authoring_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresAuthoringWork, Access.ids)
    create_question = providers.Factory(
        CreateQuestion, transact=authoring_transaction, ids=Access.ids, sanitise=html_sanitiser
    )
    edit_question = providers.Factory(EditQuestion, transact=authoring_transaction, sanitise=html_sanitiser)
    delete_question = providers.Factory(DeleteQuestion, transact=authoring_transaction)
    archive_question = providers.Factory(ArchiveQuestion, transact=authoring_transaction)
    redraft_question = providers.Factory(RedraftQuestion, transact=authoring_transaction)
    submit_for_review = providers.Factory(SubmitForReview, transact=authoring_transaction)
    withdraw_from_review = providers.Factory(WithdrawFromReview, transact=authoring_transaction)
    approve_question = providers.Factory(ApproveQuestion, transact=authoring_transaction)
    request_changes = providers.Factory(RequestChanges, transact=authoring_transaction)
    publish_question = providers.Factory(PublishQuestion, transact=authoring_transaction)

    # question_bank: questions one by one
    question_reader = providers.Singleton(PostgresQuestionReader, Access.database)
    read_question = providers.Factory(ReadQuestion, question_reader)
    list_versions = providers.Factory(ListVersions, question_reader)
    read_version = providers.Factory(ReadVersion, question_reader)
    compare_versions = providers.Factory(CompareVersions, question_reader)
    list_reviews = providers.Factory(ListReviews, question_reader)
    read_published_question = providers.Factory(ReadPublishedQuestion, question_reader)

    # question_bank: banks, topics, difficulties
    taxonomy_reader = providers.Singleton(PostgresTaxonomyReader, Access.database)
    taxonomy_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresTaxonomyWork, Access.ids)
    read_bank = providers.Factory(ReadBank, taxonomy_reader=taxonomy_reader)
    create_bank = providers.Factory(CreateBank, transact=taxonomy_transaction, ids=Access.ids)
    change_bank = providers.Factory(ChangeBank, transact=taxonomy_transaction)
    delete_bank = providers.Factory(DeleteBank, transact=taxonomy_transaction)
    create_topic = providers.Factory(CreateTopic, transact=taxonomy_transaction, ids=Access.ids)
    rename_topic = providers.Factory(RenameTopic, transact=taxonomy_transaction)
    delete_topic = providers.Factory(DeleteTopic, transact=taxonomy_transaction)
    rename_difficulty = providers.Factory(RenameDifficulty, transact=taxonomy_transaction)

    # question_bank, lists
    question_list_reader = providers.Singleton(PostgresQuestionListReader, Access.database)
    published_question_reader = providers.Singleton(PostgresPublishedQuestionReader, Access.database)

    # question_bank: near duplicates
    near_duplicate_reader = providers.Singleton(PostgresNearDuplicateReader, Access.database)
    read_near_duplicates = providers.Factory(ReadNearDuplicates, near_duplicate_reader=near_duplicate_reader)

    # question_bank: papers by blueprint
    paper_reader = providers.Singleton(PostgresPaperReader, Access.database)
    preview_paper = providers.Factory(PreviewPaper, paper_reader=paper_reader, ids=Access.ids)

    # question_bank: what its jobs do
    content_hashes = providers.Singleton(PostgresContentHashes, Access.database)
    rehash_questions = providers.Singleton(RehashQuestions, content_hashes=content_hashes)
    comparing_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresComparingWork, Access.ids)
    compare_questions = providers.Singleton(CompareQuestions, transact=comparing_transaction)
    indexing_transaction = providers.Singleton(PostgresTransaction, Access.database, PostgresIndexingWork, Access.ids)
    index_questions = providers.Singleton(IndexQuestions, transact=indexing_transaction)
