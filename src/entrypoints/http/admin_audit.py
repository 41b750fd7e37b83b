"""The audit log over HTTP: its one route."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from application.admin.ports import AdminReader, AuditFilter
from entrypoints.http.admin_bodies import AuditPage, audit_body
from entrypoints.http.admin_people import ADMINS
from entrypoints.http.fields import EARLIEST, LATEST
from entrypoints.http.injection import Injected
from entrypoints.http.pagination import Paging, page
from entrypoints.http.refusals import invalid
from entrypoints.http.requests import ApiRequest


@get("/admin/audit-log", summary="Read the audit log", operation_id="readAuditLog", opt=ADMINS)
async def read_audit_log(
    request: ApiRequest,
    paging: NamedDependency[Paging],
    admin_reader: Injected[AdminReader],
    actor_id: Annotated[
        str | None, QueryParameter(name="actorId", max_length=64, description="Only what this person did")
    ] = None,
    subject: Annotated[str | None, QueryParameter(max_length=200, description="Only what was done to this")] = None,
    action: Annotated[str | None, QueryParameter(max_length=100, description="Only this, as `user.changed`")] = None,
    since: Annotated[
        datetime | None, QueryParameter(name="from", description="Only from this time on, written with its zone")
    ] = None,
    until: Annotated[
        datetime | None, QueryParameter(name="to", description="Only before this time, written with its zone")
    ] = None,
) -> Response[AuditPage]:
    """Every privileged act, the newest first. Nothing in here lets anybody in."""
    chosen = AuditFilter(
        actor_id=actor_id,
        subject=subject,
        action=action,
        since=_moment("from", since),
        until=_moment("to", until),
    )
    after = paging.after(datetime, str)
    found = await admin_reader.audit_log(
        chosen, after=None if after is None else (after[0], after[1]), limit=paging.limit + 1
    )
    return page(request, paging, found, key=lambda view: (view.at, view.id), item=audit_body, body=AuditPage)


def _moment(name: str, value: datetime | None) -> datetime | None:
    if value is not None and (value.tzinfo is None or not EARLIEST <= value < LATEST):
        raise invalid(f"?{name}", "out_of_range", "Expected a time from 2000 to 2100, with its zone")
    return value


audit = [read_audit_log]
