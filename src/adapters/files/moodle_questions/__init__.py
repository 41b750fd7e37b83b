"""Questions in Moodle XML: multichoice and truefalse are read and written, every other type is reported by its name."""

from adapters.files.moodle_questions.parsing import parse_moodle
from adapters.files.moodle_questions.projecting import project_moodle
from adapters.files.moodle_questions.writing import MoodleWriter

__all__ = ["MoodleWriter", "parse_moodle", "project_moodle"]
