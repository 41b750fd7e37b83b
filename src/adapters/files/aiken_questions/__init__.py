"""Questions in Aiken: a text, lettered options, one answer."""

from adapters.files.aiken_questions.parsing import parse_aiken
from adapters.files.aiken_questions.writing import AikenWriter, project_aiken

__all__ = ["AikenWriter", "parse_aiken", "project_aiken"]
