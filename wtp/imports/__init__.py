"""Bytes in, tables out: choice data and answers of other programs for a survey of ours; nothing is written here.

`read_choices` gives any file in one of the usual layouts as the long frame that every estimator takes.
"""

from wtp.imports.checked import Checked, check
from wtp.imports.choices import read_choices
from wtp.imports.contacts import CheckedContacts, check_contacts
from wtp.imports.files import read_file, read_path
from wtp.imports.guess import guess
from wtp.imports.mapping import Mapping, mapping_of
from wtp.imports.problems import Problem, problems_frame
from wtp.imports.purchases import Purchases, read_purchases
from wtp.imports.tables import File, Table

__all__ = [
    "Checked",
    "CheckedContacts",
    "File",
    "Mapping",
    "Problem",
    "Purchases",
    "Table",
    "check",
    "check_contacts",
    "guess",
    "mapping_of",
    "problems_frame",
    "read_choices",
    "read_file",
    "read_path",
    "read_purchases",
]
