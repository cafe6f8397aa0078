"""Tables in, bytes out: everything that an analyst takes away."""

from wtp.export.files import choices_csv, table_csv, to_csv_zip, to_xlsx

__all__ = ["choices_csv", "table_csv", "to_csv_zip", "to_xlsx"]
