"""Questions as JSON Lines: a header that names the version, then one question per line. The only lossless format."""

from adapters.files.jsonl_questions.parsing import parse_jsonl
from adapters.files.jsonl_questions.writing import JsonlWriter, project_jsonl

__all__ = ["JsonlWriter", "parse_jsonl", "project_jsonl"]
