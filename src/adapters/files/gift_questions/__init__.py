"""Questions in GIFT, the text format of Moodle: questions of choices are read and written, the others are reported."""

from adapters.files.gift_questions.parsing import parse_gift
from adapters.files.gift_questions.writing import GiftWriter, project_gift

__all__ = ["GiftWriter", "parse_gift", "project_gift"]
