"""What staff did, in the words of the pages; the log itself keeps its own words, so that an entry reads the same in every language for ever."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from wtp.store import api_tokens, audit, panel_keys, second_factor, staff, staff_links, staff_restored
from wtp.web.accounts import LOCKED, LOGGED_IN
from wtp.web.stopping import RULE_MET

_WORDS = {
    audit.OPENED_EARLY: _l("results opened early"),
    RULE_MET: _l("stopping rule met"),
    audit.STATE: _l("state changed"),
    audit.DECIDED: _l("decided about respondents"),
    audit.IMPORTED: _l("answers imported"),
    audit.TAKEN_BACK: _l("import taken back"),
    audit.MEASURE_ADDED: _l("measure recorded"),
    audit.MEASURE_CHANGED: _l("measure changed"),
    audit.CONTACTS_IMPORTED: _l("contacts imported"),
    audit.CONTACTS_TAKEN_BACK: _l("contacts taken back"),
    audit.LINKED: _l("contacts linked"),
    audit.UNLINKED: _l("links dropped"),
    audit.FORGOTTEN: _l("customer forgotten"),
    audit.PURCHASES_IMPORTED: _l("purchases imported"),
    audit.PURCHASES_TAKEN_BACK: _l("purchases taken back"),
    audit.BROUGHT_IN: _l("customers brought in"),
    audit.LOOKED_UP: _l("customer looked up"),
    audit.EXPORTED: _l("answers exported"),
    audit.LINKS_EXPORTED: _l("personal links exported"),
    audit.CONTACTS_EXPORTED: _l("contacts exported"),
    audit.PEOPLE_VIEWED: _l("respondents viewed"),
    audit.STUDY_DELETED: _l("study deleted"),
    panel_keys.MADE: _l("panel key made"),
    panel_keys.SHOWN: _l("panel key shown"),
    api_tokens.MADE: _l("API token made"),
    api_tokens.REVOKED: _l("API token revoked"),
    LOGGED_IN: _l("logged in"),
    LOCKED: _l("locked for 15 minutes"),
    staff.ADDED: _l("member added"),
    staff.PASSWORD_SET: _l("password set"),
    staff.ROLE: _l("role changed"),
    staff.STUDIES: _l("studies changed"),
    staff.DISABLED: _l("member disabled"),
    staff.ENABLED: _l("member let in again"),
    staff.ENDED: _l("sessions ended"),
    staff_restored.RESTORED: _l("backup restored"),
    staff_links.MADE: _l("link made"),
    staff_links.USED: _l("link used"),
    second_factor.ON: _l("second factor on"),
    second_factor.CHANGED: _l("second factor changed"),
    second_factor.OFF: _l("second factor off"),
    second_factor.RENEWED: _l("recovery codes made"),
}


def action_words(action: str) -> str:
    """An action of the log; as it stands there if it is of another version of the program."""
    return str(_WORDS.get(action, action))
