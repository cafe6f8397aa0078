"""Tables in, bytes out: everything that an analyst takes away."""

from wtp.export.bundle import Bundle, compared_tables, read_bundle
from wtp.export.contacts import contacts_frame
from wtp.export.csv_files import table_csv
from wtp.export.formats import FORMATS, Format
from wtp.export.source import Source

__all__ = ["FORMATS", "Bundle", "Format", "Source", "compared_tables", "contacts_frame", "read_bundle", "table_csv"]
