"""Questions in CSV: bytes in, canonical questions and findings out, one record at a time and without I/O of its own."""

from adapters.files.csv_questions.options import CsvOptions
from adapters.files.csv_questions.parsing import parse_csv, records_of_csv

__all__ = ["CsvOptions", "parse_csv", "records_of_csv"]
