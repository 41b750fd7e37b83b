"""By which address somebody signs in who says who they are by address or by username."""

from __future__ import annotations

from dataclasses import dataclass

from application.auth.ports import AuthReader


@dataclass(frozen=True, slots=True, kw_only=True)
class FindAddress:
    """Whoever names an account by its username means its address, so that attempts are counted for the account however
    it is named. A name that nobody has stays what it is: signing in by it fails as by an address that nobody has, and
    takes as long, since it is looked for as an address here that cannot be one there.
    """

    people: AuthReader

    async def __call__(self, named: str) -> str:
        name = named.strip()
        if "@" in name:
            return name
        user = await self.people.find_user_by_username(name) or await self.people.find_user_by_email(name)
        return name if user is None else user.email
