"""Who may call which route, reviewed by hand. What is not in here is not served: a test compares it with the router."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.auth.people import Role
from tests.support.callers import Route

Callers = tuple[Role, ...]
ANYBODY: Final[Callers] = ()
STUDENTS: Final[Callers] = (Role.STUDENT,)
INSTRUCTORS: Final[Callers] = (Role.INSTRUCTOR,)
ADMINS: Final[Callers] = (Role.ADMIN,)
STAFF: Final[Callers] = (Role.INSTRUCTOR, Role.ADMIN)

_PORTALS: Final = {"/student/auth": STUDENTS, "/instructor/auth": INSTRUCTORS, "/admin/auth": ADMINS, "/auth": STUDENTS}

# At each portal and under the students' old path.
_FOR_ANYBODY_AT_A_PORTAL: Final = """
    POST /register
    POST /login
    POST /refresh
    POST /logout
    POST /verify-email
    POST /resend-verification
    POST /request-password-reset
    POST /reset-password
"""
_FOR_ITS_ROLE_AT_A_PORTAL: Final = """
    GET /me
    POST /logout-all
    POST /change-password
    POST /change-email
    GET /sessions
    DELETE /sessions/{sessionId}
"""
_ELSEWHERE: Final[Mapping[Callers, str]] = {
    ANYBODY: """
        GET /healthz
        GET /health
        GET /v1/health
        GET /readyz
        GET /metrics
        GET /openapi.json
        GET /openapi.yaml
        GET /docs
        GET /redoc
        GET /exam-packages
        GET /exam-packages/{examPackageId}
        POST /api/v1/auth/signup
        POST /api/v1/auth/login
        POST /api/v1/auth/refresh
        GET /api/v1/questions/exams
        GET /api/v1/questions/domains
        GET /api/v1/achievements
    """,
    STUDENTS: """
        GET /api/v1/auth/me
        POST /api/v1/auth/logout
        POST /api/v1/auth/logout-all
        POST /api/v1/auth/change-password
        PATCH /api/v1/auth/profile
        GET /api/v1/auth/sessions
        GET /api/v1/questions/quiz
        POST /api/v1/quiz/submit
        GET /api/v1/quiz/history
        GET /api/v1/quiz/stats
        GET /api/v1/quiz/review/{attemptId}
        POST /api/v1/study/start
        POST /api/v1/study/answer
        GET /api/v1/study/active
        DELETE /api/v1/study/abandon
        GET /api/v1/achievements/me
        GET /api/v1/achievements/earned
        GET /api/v1/achievements/stats
        GET /api/v1/streak
        GET /api/v1/weak-areas
        GET /student/flagged-questions
        PUT /student/flagged-questions/{questionId}
        DELETE /student/flagged-questions/{questionId}
        GET /student/progress
        GET /student/exam-history
        GET /exam-sessions/{sessionId}/result
        GET /student/profile
        PATCH /student/profile
        GET /student/badges
        GET /student/study-days
        GET /student/enrollments
        POST /student/enrollments
        GET /student/enrollments/{examPackageId}
        PATCH /student/enrollments/{examPackageId}
        DELETE /student/enrollments/{examPackageId}
        GET /practice-templates
        GET /practice-templates/{templateId}
        GET /student/weak-areas
        GET /student/readiness
        GET /practice-sessions
        POST /practice-sessions
        GET /practice-sessions/{sessionId}
        GET /practice-sessions/{sessionId}/questions
        POST /practice-sessions/{sessionId}/answers
        POST /practice-sessions/{sessionId}/pause
        POST /practice-sessions/{sessionId}/resume
        POST /practice-sessions/{sessionId}/finish
        GET /practice-sessions/{sessionId}/review
        GET /practice-sessions/{sessionId}/summary
        GET /exam-sessions
        POST /exam-sessions
        GET /exam-sessions/{sessionId}
        GET /exam-sessions/{sessionId}/paper
        POST /exam-sessions/{sessionId}/heartbeat
        POST /exam-sessions/{sessionId}/events
        PUT /exam-sessions/{sessionId}/answers/{slot}
        POST /exam-sessions/{sessionId}/submit
        POST /exam-sessions/{sessionId}/pause
        POST /exam-sessions/{sessionId}/resume
        GET /questions
        GET /questions/{questionId}
        GET /question-banks
        GET /question-topics
        GET /question-difficulties
    """,
    STAFF: """
        POST /instructor/question-banks
        GET /instructor/question-banks
        GET /instructor/question-banks/{questionBankId}
        PATCH /instructor/question-banks/{questionBankId}
        DELETE /instructor/question-banks/{questionBankId}
        POST /instructor/question-topics
        GET /instructor/question-topics
        PATCH /instructor/question-topics/{topicId}
        DELETE /instructor/question-topics/{topicId}
        GET /instructor/question-difficulties
        PATCH /instructor/question-difficulties/{difficultyId}
        GET /instructor/exam-packages
        GET /instructor/exam-packages/{examPackageId}
        PATCH /instructor/exam-packages/{examPackageId}
        POST /instructor/exam-packages/{examPackageId}/paper-preview
        GET /instructor/practice-templates
        POST /instructor/practice-templates
        GET /instructor/practice-templates/{templateId}
        PATCH /instructor/practice-templates/{templateId}
        DELETE /instructor/practice-templates/{templateId}
        POST /instructor/practice-templates/{templateId}/publish
        POST /instructor/practice-templates/{templateId}/unpublish
        GET /instructor/questions
        POST /instructor/questions
        GET /instructor/questions/{questionId}
        PUT /instructor/questions/{questionId}
        DELETE /instructor/questions/{questionId}
        PUT /instructor/questions/{questionId}/choices
        POST /instructor/questions/{questionId}/submit-for-review
        POST /instructor/questions/{questionId}/withdraw
        POST /instructor/questions/{questionId}/publish
        POST /instructor/questions/{questionId}/archive
        POST /instructor/questions/{questionId}/draft
        GET /instructor/questions/{questionId}/versions
        GET /instructor/questions/{questionId}/versions/{version}
        GET /instructor/questions/{questionId}/versions/{version}/diff
        GET /instructor/questions/{questionId}/reviews
        GET /instructor/question-exports
        GET /instructor/question-exports/losses
        POST /instructor/question-imports
        GET /instructor/question-imports
        GET /instructor/question-imports/{importId}/rejects.csv
        POST /instructor/question-imports/{importId}/cancel
        GET /instructor/question-imports/{importId}/near-duplicates
        GET /instructor/question-imports/{importId}
        GET /instructor/exam-packages/{examPackageId}/statistics
        GET /instructor/review-suggestions
        POST /instructor/review-suggestions/{examPackageId}/{questionId}/{version}/dismiss
    """,
    ADMINS: """
        GET /admin/dashboard
        GET /admin/exam-packages/{examPackageId}/statistics
        GET /admin/exam-sessions/monitor
        GET /admin/analytics/readiness-calibration
        GET /admin/users
        POST /admin/users
        GET /admin/users/{userId}
        PATCH /admin/users/{userId}
        DELETE /admin/users/{userId}
        POST /admin/users/{userId}/restore
        POST /admin/users/{userId}/unlock
        POST /admin/users/{userId}/password-reset
        GET /admin/users/{userId}/enrollments
        POST /admin/users/{userId}/enrollments
        PATCH /admin/users/{userId}/enrollments/{examPackageId}
        DELETE /admin/users/{userId}/enrollments/{examPackageId}
        GET /admin/exam-packages/{examPackageId}/enrollments
        GET /admin/users/{userId}/auth-sessions
        POST /admin/users/{userId}/auth-sessions/revoke-all
        POST /admin/users/{userId}/auth-sessions/{sessionId}/revoke
        GET /admin/users/{userId}/session-limit
        PUT /admin/users/{userId}/session-limit
        GET /admin/users/{userId}/session-groups
        POST /admin/auth-sessions/revoke-all
        GET /admin/session-limits/{role}
        PUT /admin/session-limits/{role}
        GET /admin/session-groups
        POST /admin/session-groups
        PATCH /admin/session-groups/{groupId}
        DELETE /admin/session-groups/{groupId}
        GET /admin/session-groups/{groupId}/members
        POST /admin/session-groups/{groupId}/members
        DELETE /admin/session-groups/{groupId}/members/{userId}
        GET /admin/invitations
        POST /admin/invitations
        DELETE /admin/invitations/{invitationId}
        GET /admin/audit-log
        GET /admin/users/{userId}/practice-sessions
        GET /admin/practice-sessions/{userId}/{sessionId}
        POST /admin/practice-sessions/{userId}/{sessionId}/invalidate
        POST /admin/exam-sessions/{userId}/{sessionId}/authorise
        GET /admin/exam-sessions
        POST /admin/exam-sessions/adjust-time
        GET /admin/exam-sessions/{userId}/{sessionId}
        GET /admin/exam-sessions/{userId}/{sessionId}/events
        GET /admin/exam-sessions/{userId}/{sessionId}/answers
        POST /admin/exam-sessions/{userId}/{sessionId}/pause
        POST /admin/exam-sessions/{userId}/{sessionId}/resume
        POST /admin/exam-sessions/{userId}/{sessionId}/adjust-time
        POST /admin/exam-sessions/{userId}/{sessionId}/force-submit
        POST /admin/exam-sessions/{userId}/{sessionId}/terminate
        POST /admin/exam-sessions/{userId}/{sessionId}/invalidate
        POST /admin/exam-sessions/{userId}/{sessionId}/reinstate
        POST /admin/exam-sessions/{userId}/{sessionId}/reopen
        POST /admin/exam-sessions/{userId}/{sessionId}/regrade
        POST /admin/exam-packages/{examPackageId}/void-question
        GET /admin/exam-packages/{examPackageId}/voided-questions
        POST /admin/exam-sessions/{userId}/{sessionId}/flags
        POST /admin/exam-sessions/{userId}/{sessionId}/flags/{flagId}/resolve
        GET /admin/users/{userId}/accommodations
        PUT /admin/users/{userId}/accommodations
        GET /admin/exam-packages
        POST /admin/exam-packages
        GET /admin/exam-packages/{examPackageId}
        PATCH /admin/exam-packages/{examPackageId}
        DELETE /admin/exam-packages/{examPackageId}
        POST /admin/exam-packages/{examPackageId}/tiers
        PATCH /admin/exam-packages/{examPackageId}/tiers/{tierId}
        DELETE /admin/exam-packages/{examPackageId}/tiers/{tierId}
        POST /admin/questions/{questionId}/approve
        POST /admin/questions/{questionId}/request-changes
        DELETE /admin/questions/{questionId}
    """,
}
# Served although the person must choose a password of their own first.
_BEFORE_A_PASSWORD_CHANGE: Final = """
    GET /me
    POST /logout-all
    POST /change-password
"""


def _routes(text: str, prefix: str = "") -> list[Route]:
    pairs = (line.split() for line in text.split("\n") if line.strip())
    return [Route(method, prefix + path) for method, path in pairs]


def _reviewed() -> dict[Route, Callers]:
    found = {route: callers for callers, text in _ELSEWHERE.items() for route in _routes(text)}
    for prefix, callers in _PORTALS.items():
        found |= dict.fromkeys(_routes(_FOR_ANYBODY_AT_A_PORTAL, prefix), ANYBODY)
        found |= dict.fromkeys(_routes(_FOR_ITS_ROLE_AT_A_PORTAL, prefix), callers)
    return found


ROUTES: Final[Mapping[Route, Callers]] = _reviewed()
SERVED_BEFORE_A_PASSWORD_CHANGE: Final = frozenset(
    route for prefix in _PORTALS for route in _routes(_BEFORE_A_PASSWORD_CHANGE, prefix)
) | {Route("POST", f"/api/v1/auth/{verb}") for verb in ("logout", "logout-all", "change-password")}
# Whoever is signed in there shows a token in a header; cookies are not looked at.
BEARER_ONLY: Final = frozenset(route for route in ROUTES if route.template.startswith("/api/v1/"))
# Public, yet a browser that holds a session must prove that its own page asks.
PROTECTED_WHERE_SIGNED_IN: Final = frozenset(Route("POST", f"{prefix}/logout") for prefix in _PORTALS)
