"""Exam packages and tiers over HTTP, as staff send them and see them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from msgspec import UNSET, Meta, UnsetType, convert

from application.enrollment.changes import PackageChange, SettingsChange, TierChange
from application.enrollment.managing import NewPackage
from application.enrollment.tiers import TierInPackage
from application.enrollment.views import StaffPackageView
from domain.enrollment.packages import MAX_ACCESS_DAYS, MAX_RANK, MAX_WEEKLY_SESSIONS, ExamPackage, Visibility
from entrypoints.http.decimals import PERCENT
from entrypoints.http.enrollment.packages import ACCESS_DAYS
from entrypoints.http.enrollment.settings_bodies import (
    PackageBlueprintBody,
    PackageBlueprintRequest,
    PackageSettingsBody,
    PackageSettingsRequest,
    blueprint_body,
    named,
    settings_body,
)
from entrypoints.http.fields import (
    MAX_SLUG,
    SLUG_PATTERN,
    Id,
    MarkedBody,
    PageBody,
    RequestBody,
    ResponseBody,
    ShortText,
    SmallCount,
    Text,
    When,
)

PACKAGE_ID = "pkg_01m7y0w5089re0wwbvvzgw20sf"
TIER_ID = "tier_01m7y0w5089re0wwbvvzgw20sg"
_MAX_BANKS = 1000
_NO_VERSION = 0
_Slug = Annotated[
    str,
    Meta(
        min_length=1, max_length=MAX_SLUG, pattern=SLUG_PATTERN, description="Its name in addresses, as `network-plus`"
    ),
]
_PassMark = (
    Annotated[str, Meta(pattern=PERCENT, max_length=6, description="The percent of the marks that passes")]
    | Annotated[int, Meta(ge=0, le=100)]
)
_Duration = Annotated[SmallCount | None, Meta(description="How long the exam lasts; null: as long as one likes")]
_Banks = Annotated[list[Id], Meta(max_length=_MAX_BANKS, description="The question banks that it draws from")]
_Expected = Annotated[
    int, Meta(ge=1, le=2**31 - 1, description="The version that is changed, where `If-Match` does not tell it")
]
_Version = Annotated[int, Meta(description="Grows with every change, of its tiers too; the ETag")]
_TierName = Annotated[str, Meta(min_length=1, max_length=100)]
_Default = Annotated[bool, Meta(description="Whether it is taken where an enrolment names none")]
_SelfService = Annotated[bool, Meta(description="Whether a student may take it unasked")]
_Active = Annotated[bool, Meta(description="Whether it is offered to new students")]
_Practice = Annotated[
    SmallCount | None,
    Meta(description=f"Practice sessions in seven days, 0 to {MAX_WEEKLY_SESSIONS}; null: no limit, 0: none at all"),
]
_Exams = Annotated[
    SmallCount | None,
    Meta(description=f"Exams in seven days, 0 to {MAX_WEEKLY_SESSIONS}; null: no limit, 0: none at all"),
]
_AccessDays = Annotated[SmallCount | None, Meta(description=f"{ACCESS_DAYS}; 1 to {MAX_ACCESS_DAYS}")]
_Rank = Annotated[SmallCount, Meta(description=f"A tier of a higher one is an upgrade, 0 to {MAX_RANK}")]
_Blueprint = Annotated[
    PackageBlueprintRequest | None, Meta(description="What the paper is made of; null: a number of questions instead")
]


class CreateExamPackageRequest(RequestBody):
    """An exam package to be made. What its settings do not name has its default."""

    slug: _Slug
    title: ShortText
    description: Text = ""
    visibility: Visibility = Visibility.VISIBLE
    pass_mark: _PassMark = 70
    duration_seconds: _Duration = None
    question_bank_ids: _Banks | UnsetType = UNSET
    settings: PackageSettingsRequest | UnsetType = UNSET
    blueprint: _Blueprint = None

    example: ClassVar[Mapping[str, Any]] = {
        "slug": "network-fundamentals",
        "title": "Network Fundamentals Associate",
        "passMark": "72.5",
        "durationSeconds": 5400,
        "questionBankIds": ["qbk_01m7y0w5089re0wwbvvzgw20sq"],
        "settings": PackageSettingsRequest.example,
    }

    def new(self) -> NewPackage:
        return NewPackage(
            slug=self.slug,
            title=self.title,
            description=self.description,
            visibility=self.visibility,
            pass_mark=Decimal(self.pass_mark),
            duration_seconds=self.duration_seconds,
            settings=self.settings.change() if isinstance(self.settings, PackageSettingsRequest) else SettingsChange(),
            blueprint=None if self.blueprint is None else self.blueprint.blueprint(),
            question_bank_ids=() if isinstance(self.question_bank_ids, UnsetType) else tuple(self.question_bank_ids),
        )


class ReviseExamPackageRequest(RequestBody):
    """What is to change about what an exam package says; what is absent stays as it is."""

    title: ShortText | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    pass_mark: _PassMark | UnsetType = UNSET
    duration_seconds: _Duration | UnsetType = UNSET
    settings: PackageSettingsRequest | UnsetType = UNSET
    blueprint: _Blueprint | UnsetType = UNSET
    expected_version: _Expected | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"passMark": "75", "settings": PackageSettingsRequest.example}

    def change(self) -> PackageChange:
        wanted = named(self)
        wanted.pop("expected_version", None)
        if "pass_mark" in wanted:
            wanted["pass_mark"] = Decimal(wanted["pass_mark"])
        for name, part in (("settings", self.settings), ("blueprint", self.blueprint)):
            if isinstance(part, PackageSettingsRequest):
                wanted[name] = part.change()
            elif isinstance(part, PackageBlueprintRequest):
                wanted[name] = part.blueprint()
        if "question_bank_ids" in wanted:
            wanted["question_bank_ids"] = tuple(wanted["question_bank_ids"])
        return PackageChange(**wanted)


class ChangeExamPackageRequest(ReviseExamPackageRequest):
    """What is to change about an exam package; what is absent stays as it is."""

    slug: _Slug | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    question_bank_ids: _Banks | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"visibility": "hidden"}


class TierFields(RequestBody):
    """What a tier says beside its name."""

    is_default: _Default | UnsetType = UNSET
    self_service: _SelfService | UnsetType = UNSET
    active: _Active | UnsetType = UNSET
    weekly_practice_sessions: _Practice | UnsetType = UNSET
    weekly_exam_sessions: _Exams | UnsetType = UNSET
    access_days: _AccessDays | UnsetType = UNSET
    rank: _Rank | UnsetType = UNSET
    expected_version: _Expected | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"accessDays": 14}

    def change(self) -> TierChange:
        wanted = named(self)
        wanted.pop("expected_version", None)
        return TierChange(**wanted)


class CreateTierRequest(TierFields, kw_only=True):
    """A tier to be added to an exam package."""

    name: _TierName

    example: ClassVar[Mapping[str, Any]] = {"name": "Trial", "weeklyPracticeSessions": 3, "accessDays": 14}


class ChangeTierRequest(TierFields):
    """What is to change about a tier; what is absent stays as it is."""

    name: _TierName | UnsetType = UNSET

    example: ClassVar[Mapping[str, Any]] = {"active": False}


class TierBody(ResponseBody):
    """A way of being enrolled in an exam package."""

    id: str
    name: str
    is_default: _Default
    self_service: _SelfService
    active: _Active
    weekly_practice_sessions: _Practice
    weekly_exam_sessions: _Exams
    access_days: _AccessDays
    rank: _Rank

    example: ClassVar[Mapping[str, Any]] = {
        "id": TIER_ID,
        "name": "Standard",
        "isDefault": True,
        "selfService": True,
        "active": True,
        "weeklyPracticeSessions": None,
        "weeklyExamSessions": 2,
        "accessDays": 365,
        "rank": 0,
    }


class TierInPackageBody(TierBody):
    """A tier, and the version that its exam package has with it."""

    exam_package_id: str
    package_version: Annotated[int, Meta(description="What `If-Match` of the next change to the package names")]

    example: ClassVar[Mapping[str, Any]] = {**TierBody.example, "examPackageId": PACKAGE_ID, "packageVersion": 4}


class ExamPackageBody(MarkedBody):
    """An exam package as staff see it, and how many questions it can draw."""

    id: str
    slug: str
    title: str
    description: str
    visibility: Visibility
    pass_mark: Annotated[Decimal, Meta(description="The percent of the marks that passes, as a decimal string")]
    duration_seconds: _Duration
    exam_question_count: Annotated[int | None, Meta(description="How many questions an exam asks; null: all there are")]
    settings: PackageSettingsBody
    blueprint: Annotated[PackageBlueprintBody | None, Meta(description="Null: a number of questions instead")]
    question_bank_ids: _Banks
    tiers: Annotated[list[TierBody], Meta(description="The default first")]
    version: _Version
    question_count: Annotated[int, Meta(description="How many published questions its visible banks have")]
    created_at: When
    updated_at: When

    example: ClassVar[Mapping[str, Any]] = {
        "id": PACKAGE_ID,
        "slug": "network-fundamentals",
        "title": "Network Fundamentals Associate",
        "description": "Addressing, routing and switching.",
        "visibility": "visible",
        "passMark": "72.5",
        "durationSeconds": 5400,
        "examQuestionCount": 10,
        "settings": PackageSettingsBody.example,
        "blueprint": PackageBlueprintBody.example,
        "questionBankIds": ["qbk_01m7y0w5089re0wwbvvzgw20sq"],
        "tiers": [TierBody.example],
        "version": 3,
        "questionCount": 240,
        "createdAt": "2026-03-02T09:00:00Z",
        "updatedAt": "2026-03-02T09:00:00Z",
    }


class ExamPackageBodyPage(PageBody):
    """A page of exam packages as staff see them."""

    items: list[ExamPackageBody]

    example: ClassVar[Mapping[str, Any]] = {"items": [ExamPackageBody.example], "nextCursor": None}


def agreed(header: int | None, body: int | UnsetType) -> int | None:
    """The version that a change expects, by `If-Match` or by its body; two that differ are both beside the mark."""
    told = {version for version in (header, body) if isinstance(version, int)}
    return None if not told else told.pop() if len(told) == 1 else _NO_VERSION


def package_body(view: StaffPackageView) -> ExamPackageBody:
    return ExamPackageBody(
        **_of_package(view.package),
        question_bank_ids=list(view.question_bank_ids),
        question_count=view.question_count,
        created_at=view.created_at,
        updated_at=view.updated_at,
    )


def tier_body(found: TierInPackage) -> TierInPackageBody:
    fields = {name: getattr(found.tier, name) for name in TierBody.__struct_fields__}
    return TierInPackageBody(**fields, exam_package_id=found.package.id, package_version=found.package.version)


def _of_package(package: ExamPackage) -> dict[str, Any]:
    same = ("id", "slug", "title", "description", "visibility", "pass_mark", "duration_seconds", "version")
    return {name: getattr(package, name) for name in (*same, "exam_question_count")} | {
        "settings": settings_body(package.settings),
        "blueprint": blueprint_body(package.blueprint),
        "tiers": [convert(tier, TierBody, from_attributes=True) for tier in package.tiers],
    }
