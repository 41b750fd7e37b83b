"""Questions in QTI: 1.2 as Canvas writes it, 2.x and 3.0; documents and packages in, packages out."""

from adapters.files.qti_questions.canvas_writing import CanvasWriter
from adapters.files.qti_questions.parsing import parse_qti
from adapters.files.qti_questions.projecting import project_canvas_qti, project_qti3
from adapters.files.qti_questions.qti3_writing import Qti3Writer

__all__ = ["CanvasWriter", "Qti3Writer", "parse_qti", "project_canvas_qti", "project_qti3"]
