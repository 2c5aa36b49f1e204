"""A user's own table: from a CSV file that somebody else has made to inputs and class numbers.

Bytes become UTF-8 (``encoding``), lines become rows of cells (``layout``), cells become numbers, categories and labels
(``cells``, ``columns``), and those a split table with facts about it (``table``, ``about``). No framework is loaded.
"""

from initcheck.catalog.csv_tables.reading import Reading
from initcheck.catalog.csv_tables.table import CsvTable, read_table

__all__ = ["CsvTable", "Reading", "read_table"]
