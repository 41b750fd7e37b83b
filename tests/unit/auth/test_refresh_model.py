"""Any history of refreshes, waits and sign-outs, against a model that knows nothing of masks and hashes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from application.auth.opening import HeldTokens
from domain.auth.people import Role
from domain.auth.sessions import RefreshReused, SessionEnded
from domain.errors import DomainError
from tests.support.auth_builders import auth_in_memory


class Chain(RuleBasedStateMachine):
    """One session. `issued` are its tokens in order, `used_at` says when each was used up."""

    @initialize()
    def sign_in(self) -> None:
        self.runner = asyncio.Runner()
        self.auth = auth_in_memory()
        grant = self.runner.run(self.auth.register())
        self.session = grant.session
        self.issued = [grant.refresh_token]
        self.used_at: list[datetime] = []
        self.idle_until = self.session.idle_expires_at
        self.ended = False
        self.reuses = 0

    @rule(seconds=st.sampled_from([0, 1, 5, 9, 10, 11, 12, 60, 3_600, 6 * 86_400, 8 * 86_400]))
    def wait(self, seconds: int) -> None:
        self.auth.clock.advance(seconds=seconds)

    @rule(back=st.integers(0, 3))
    def refresh(self, back: int) -> None:
        """With the newest token, or one of the three before it, as a second tab or a thief would."""
        index = max(0, len(self.issued) - 1 - back)
        expected, answer = self._expected(index), self._answer(self.issued[index])
        if expected == "rotated":
            assert len(answer) == 43
            assert answer not in self.issued
            self._rotate(answer)
        else:
            assert answer == expected

    @precondition(lambda self: len(self.issued) > 4)
    @rule()
    def sign_out(self) -> None:
        self.runner.run(self.auth.sign_out(HeldTokens(refresh=self.issued[-1])))
        self.ended = True

    @invariant()
    def at_most_one_token_is_unused_and_no_mask_outlives_the_next_rotation(self) -> None:
        chain = self.runner.run(self.auth.tokens_of(self.session.id))
        assert len(chain) == len(self.issued)
        assert [used is None for _, used, _ in chain] == [False] * (len(chain) - 1) + [True]
        assert sum(mask is not None for _, _, mask in chain) == min(1, len(chain) - 1)

    @invariant()
    def every_reuse_is_on_record_once(self) -> None:
        assert len(self.auth.store.audit_log) == self.reuses

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()

    def _answer(self, token: str) -> str:
        try:
            return self.runner.run(self.auth.refresh(Role.STUDENT, token)).refresh_token
        except DomainError as refusal:
            return refusal.code

    def _expected(self, index: int) -> str:
        now, newest = self.auth.clock.now(), len(self.issued) - 1
        if self.ended or now >= self.idle_until:
            return SessionEnded.code
        if index == newest:
            return "rotated"
        if index == newest - 1 and now - self.used_at[index] <= timedelta(seconds=10):
            return self.issued[newest]
        self.ended = True
        self.reuses += 1
        return RefreshReused.code

    def _rotate(self, successor: str) -> None:
        now = self.auth.clock.now()
        self.issued.append(successor)
        self.used_at.append(now)
        self.idle_until = min(now + timedelta(days=7), self.session.absolute_expires_at)


TestChain = Chain.TestCase
TestChain.settings = settings(stateful_step_count=25)
