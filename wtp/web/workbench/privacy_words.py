"""What the workbench calls the keys of data protection, and what they mean; part of `words`."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

LABELS: dict[str, LazyString] = {
    "privacy": _l("Data protection"),
    "Privacy.mode": _l("Answers and person"),
    "controller": _l("Who is responsible"),
    "Privacy.contact": _l("Where to write about one's data"),
    "purpose": _l("What the answers are used for"),
    "contacts_days": _l("Days until invitations and links are deleted"),
    "answers_months": _l("Months until single answers are deleted"),
    "special_categories": _l("Asks about health, religion, origin or the like"),
    "legal_basis": _l("Confirmed legal basis"),
}

HELP: dict[str, LazyString] = {
    "privacy": _l("Stands on the page of consent; what is deleted is deleted by itself."),
    "Privacy.mode": _l("It counts for those who begin from now on; others keep what they agreed to."),
    "controller": _l("Company and address, as the law asks for it."),
    "purpose": _l("One sentence. Empty: the page of consent says it alone."),
    "contacts_days": _l("After the study was closed. Empty: never by itself. 30 are usual."),
    "answers_months": _l("After the study was closed. Empty: never by itself. 12 are usual; figures of many stay."),
    "special_categories": _l("Art. 9 of the GDPR; then the legal basis must be named."),
    "legal_basis": _l("As whoever is responsible for data protection confirmed it; it stands on the page of consent."),
}

CHOICES: dict[str, LazyString] = {
    "anonymous": _l("anonymous: no invitations, no way back after the last page"),
    "anonymise_on_completion": _l(
        "cut off with the last page: invitations and reminders, then nobody can tell whose answers they are"
    ),
    "pseudonymous": _l("pseudonymous: under a number; resume, access and erasure at any time"),
    "personal": _l("personal: answers may be looked up by person"),
}
