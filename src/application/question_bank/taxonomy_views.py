"""Banks as staff and students see them."""

from __future__ import annotations

from dataclasses import dataclass

from domain.question_bank.taxonomy import Bank


@dataclass(frozen=True, slots=True, kw_only=True)
class BankView:
    """A bank with the number of questions that students can be given."""

    bank: Bank
    published_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicBankView:
    """A bank as a student sees it."""

    id: str
    slug: str
    title: str
    description: str
    published_count: int
