"""What the program promises of data, doors, input, figures, people and load, and which tests hold each promise to it.

A promise is a number and one line of ours; a test is named by its file under tests/ and its function. What no test shows yet, or not in full, stands in OPEN with what is
missing. A number that has neither, and a name that leads nowhere, fail here: nothing is promised that nobody looks at.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

TESTS = Path(__file__).parent
NUMBERS = {"D": 15, "A": 13, "I": 11, "S": 14, "Q": 9, "P": 11, "L": 7, "T": 10}

# number -> (what is promised, the tests that hold it)
PROMISES: dict[str, tuple[str, tuple[str, ...]]] = {
    # D: no answer is lost
    "D1": (
        "a worker killed at any moment loses and doubles no acknowledged answer",
        ("faults/test_kill.py::test_workers_killed_at_any_moment_lose_and_double_nothing", "faults/test_kill.py::test_a_reply_before_the_commit_is_found_out"),
    ),
    "D2": (
        "an answer is on the disk before its reply, and a database that could not promise it is refused",
        (
            "store/test_database.py::test_sqlite_waits_for_the_disk_and_for_other_writers",
            "store/test_database.py::test_sqlite_that_could_lose_answers_is_refused",
            "store/test_database.py::test_postgresql_that_could_lose_answers_is_refused",
            "faults/test_on_the_disk.py::test_a_request_writes_with_the_settings_that_wait",
            "faults/test_on_the_disk.py::test_the_disk_is_waited_for_before_every_reply",
        ),
    ),
    "D3": (
        "an unsafe place for the database keeps the server from starting, in words",
        (
            "store/test_database.py::test_a_network_file_system_is_refused",
            "store/test_database.py::test_a_read_only_place_is_refused",
            "store/test_database.py::test_a_database_of_a_newer_program_is_refused",
            "store/test_upgrades.py::test_a_database_of_another_program_is_refused_and_left_alone",
        ),
    ),
    "D4": (
        "a page sent again changes nothing, and a stale one overwrites nothing",
        (
            "store/test_answers.py::test_the_same_content_again_changes_nothing_whatever_window_it_comes_from",
            "store/test_answers.py::test_other_content_from_a_stale_window_is_refused_and_nothing_is_written",
            "store/test_answers.py::test_of_many_different_posts_at_once_one_is_kept_and_the_others_hear_of_it",
        ),
    ),
    "D5": (
        "the database itself refuses doubles, however many come at once",
        (
            "store/test_answers.py::test_fifty_equal_posts_at_once_make_one_row_and_equal_replies",
            "store/test_answers.py::test_control_looking_and_then_inserting_doubles_without_a_lock",
            "store/test_database.py::test_the_keys_that_refuse_doubles_are_never_null",
            "faults/test_many_hands.py::test_fifty_windows_that_send_the_last_page_at_once_end_one_interview",
            "faults/test_many_hands.py::test_without_the_lock_and_the_key_fifty_windows_fail",
            "faults/test_cut.py::test_cut_connections_lose_and_double_nothing",
            "faults/test_cut.py::test_a_store_that_takes_every_page_for_a_new_one_is_found_out",
        ),
    ),
    "D6": (
        "back, reload and two windows keep every value, and nothing that was drawn for a person changes",
        (
            "web/test_respond.py::test_a_stale_window_overwrites_nothing_and_loses_nothing",
            "web/test_respond.py::test_back_shows_what_was_saved_and_another_answer_replaces_it",
            "store/test_answers.py::test_a_changed_page_is_a_new_revision_and_the_old_one_stays",
            "browser/test_saving.py::test_two_windows_lose_nothing",
            "browser/test_saving.py::test_reload_back_and_double_click_on_a_half_filled_page",
            "store/test_respondents.py::test_beginning_again_changes_nothing",
        ),
    ),
    "D7": (
        "without network the browser keeps what was typed, says so, and sends until the server has it",
        (
            "browser/test_saving.py::test_cuts_at_any_moment_of_an_interview_lose_nothing",
            "browser/test_saving.py::test_without_network_for_a_minute_it_is_tried_again_and_again",
            "browser/test_saving.py::test_typed_without_network_in_a_tab_that_is_closed",
            "browser/test_saving.py::test_a_slow_server_is_told_within_two_seconds",
            "browser/test_saving.py::test_the_end_waits_until_everything_is_saved",
            "browser/test_respond.py::test_a_whole_survey_without_script",
        ),
    ),
    "D8": (
        "the personal link opens the same page with the same answers on any device",
        (
            "web/every/test_drafts.py::test_killed_at_each_page_and_resumed_elsewhere_everything_is_the_same",
            "web/every/test_drafts.py::test_drafts_stay_with_their_person_and_study",
            "web/test_respond.py::test_the_personal_link_goes_on_elsewhere_with_the_same_tasks",
            "browser/test_saving.py::test_the_browser_dies_at_a_half_filled_page_and_the_link_opens_it_elsewhere",
        ),
    ),
    "D9": (
        "everybody finishes on the version that was begun, whatever is published meanwhile",
        (
            "web/test_publishing.py::test_publishing_while_people_answer_mixes_nothing",
            "load/test_publishing.py::test_no_interview_mixes_versions_while_many_are_published",
        ),
    ),
    "D10": (
        "a full disk is said in a sentence, keeps what was typed, and heals without a restart",
        (
            "store/test_database.py::test_a_full_disk_is_said_in_words_and_heals_when_there_is_space_again",
            "web/test_respond.py::test_a_database_that_is_away_costs_no_typed_text",
            "faults/test_full_and_locked.py::test_a_full_disk_is_said_and_heals_without_a_restart",
            "faults/test_postgresql.py::test_a_full_disk_under_it_is_said_and_heals_without_a_restart",
            "faults/test_full_and_locked.py::test_a_server_that_does_not_look_whether_it_is_kept_is_found_out",
        ),
    ),
    "D11": (
        "a database that is locked or away is waited for or said, and used again at once when it is back",
        (
            "store/test_database.py::test_a_database_that_stays_locked_is_said_in_words",
            "store/test_database.py::test_a_server_that_came_back_is_used_at_once",
            "faults/test_full_and_locked.py::test_a_database_locked_for_long_is_waited_for_and_for_too_long_is_said",
            "faults/test_full_and_locked.py::test_locked_for_ten_seconds_puts_nobody_off",
            "faults/test_postgresql.py::test_postgresql_that_goes_and_comes_back_costs_a_wait_and_nothing_else",
            "faults/test_postgresql.py::test_a_reply_before_the_commit_is_found_out",
            "faults/test_postgresql.py::test_workers_that_begin_while_it_is_away_wait_for_it",
            "faults/test_postgresql.py::test_while_it_is_away_every_address_says_so_and_none_fails",
        ),
    ),
    "D12": (
        "a background analysis ends once, with the same figures, whoever is killed meanwhile",
        (
            "jobs/test_worker.py::test_an_analysis_with_figures_is_the_same_after_kills",
            "jobs/test_worker.py::test_a_job_that_kills_its_process_is_given_up",
            "faults/test_background.py::test_a_job_outlives_its_worker_and_the_whole_server",
            "estimation/test_hierarchical.py::test_an_interrupted_fit_goes_on_to_the_same_result",
            "faults/test_jobs.py::test_analyses_whose_worker_and_fit_are_killed_end_once_with_the_same_figures",
            "faults/test_jobs.py::test_a_fit_that_begins_with_other_dice_is_found_out",
            "faults/test_jobs.py::test_a_job_whose_workers_die_three_times_is_given_up",
            "faults/test_jobs.py::test_jobs_end_once_however_often_redis_dies",
            "faults/test_jobs.py::test_a_worker_that_believes_the_queue_alone_is_found_out",
            "faults/test_postgresql.py::test_a_job_goes_on_when_it_is_back_and_the_attempt_does_not_count",
        ),
    ),
    "D13": (
        "a backup taken under load is whole and comes back as it was",
        (
            "faults/test_databases.py::test_backups_under_load_hold_what_was_acknowledged_before_them_and_no_half_transaction",
            "faults/test_databases.py::test_a_backup_without_one_transaction_would_be_torn",
            "faults/test_databases.py::test_a_copy_of_the_file_alone_is_found_out",
            "faults/test_databases_killed.py::test_a_restore_that_is_killed_leaves_the_old_state",
            "store/test_backup.py::test_a_backup_is_one_state_while_answers_go_on",
            "store/test_backup.py::test_a_backup_of_either_database_is_restored_into_either",
        ),
    ),
    "D14": (
        "data of every released schema come through an upgrade, or the old state stays",
        (
            "store/test_imports.py::test_the_migration_keeps_what_was_answered_before",
            "store/test_database.py::test_a_migration_that_fails_half_way_leaves_the_old_state",
            "store/test_database.py::test_migrating_gives_the_schema_of_the_code_and_a_second_run_changes_nothing",
            "store/test_upgrades.py::test_a_released_schema_is_brought_up_to_date_with_its_rows",
            "faults/test_databases_killed.py::test_an_upgrade_that_is_killed_leaves_the_old_state",
            "faults/test_databases.py::test_two_migrations_at_once_are_one_and_lose_no_row",
            "faults/test_databases.py::test_without_their_lock_two_migrations_disturb_each_other",
        ),
    ),
    "D15": (
        "order and durations are the server's, whatever any clock says",
        (
            "store/test_answers.py::test_times_are_aware_and_in_utc_whatever_zone_they_came_in",
            "faults/test_clock.py::test_interviews_end_whole_and_in_order_however_the_clock_is_set",
            "faults/test_clock.py::test_flasks_own_cookie_is_refused_after_the_clock_was_set_back",
            "faults/test_clock.py::test_staff_can_always_log_in_and_a_clock_set_back_ends_no_session",
            "faults/test_clock.py::test_a_clock_set_back_holds_no_job",
        ),
    ),
    # A: nobody gets in
    "A1": (
        "every route has its row in the table of rights",
        (
            "web/test_rights.py::test_every_route_is_entered",
            "web/test_rights.py::test_every_role_gets_what_it_may_and_nothing_else",
            "web/test_rights.py::test_every_change_is_made_only_by_who_may",
        ),
    ),
    "A2": (
        "what belongs to others looks like what does not exist",
        (
            "web/test_rights.py::test_a_study_that_is_not_there_looks_like_a_page_that_is_not_there",
            "web/test_respond.py::test_unknown_link_and_unknown_study_look_alike",
            "web/api/test_rights.py::test_another_studys_token_sees_no_more_than_a_study_that_is_not_there",
        ),
    ),
    "A3": (
        "a rule is enforced in one place that page, interface, import and command all pass",
        (
            "abuse/test_one_place.py::test_a_rule_holds_at_every_door",
            "abuse/test_one_place.py::test_a_quota_is_filled_by_whatever_door",
            "abuse/test_one_place.py::test_what_was_used_is_used_at_every_door",
            "abuse/test_one_place.py::test_rights_to_a_study_hold_at_every_door",
        ),
    ),
    "A4": (
        "a respondent changes nothing but answers of his own open interview",
        (
            "web/test_respond.py::test_forged_fields_change_nothing",
            "web/test_respond.py::test_after_the_end_nothing_changes",
            "web/every/test_every_question.py::test_what_cannot_be_is_refused_and_kept",
            "abuse/test_answers.py::test_fields_that_a_page_does_not_have_are_never_stored",
        ),
    ),
    "A5": (
        "programs have keys with scopes and an end, kept as hashes; managers see no single person",
        (
            "web/api/test_rights.py::test_each_scope_opens_its_routes_and_no_other",
            "store/test_api_tokens.py::test_the_text_finds_what_was_made_and_the_database_does_not_hold_it",
            "store/test_api_tokens.py::test_a_token_ends_at_its_time_to_the_second",
            "web/api/test_tokens.py::test_a_token_is_shown_once_and_works",
            "web/test_rights.py::test_a_study_without_right_looks_like_one_that_is_not_there",
            "abuse/test_walk.py::test_staff_reach_no_other_study_by_any_address",
            "abuse/test_walk.py::test_a_program_reaches_no_other_study_by_any_address",
        ),
    ),
    "A6": (
        "passwords are long, kept dear, and cannot be tried out",
        (
            "store/test_staff.py::test_the_password_is_kept_as_a_costly_argon2id",
            "store/test_staff.py::test_a_weak_password_is_refused",
            "store/test_staff.py::test_an_unknown_or_disabled_name_costs_as_much_as_a_known_one",
            "web/test_accounts.py::test_five_wrong_tries_close_an_account_and_no_other",
            "web/test_accounts.py::test_fifty_tries_close_an_address",
            "web/test_second_factor.py::test_login_asks_for_a_code_and_takes_each_once",
            "web/test_second_factor.py::test_a_device_is_replaced_by_a_code_of_the_old_one_or_a_recovery_code",
            "store/test_second_factor.py::test_a_stolen_database_gives_no_code",
            "web/test_attempts.py::test_five_wrong_passwords_are_five_wherever_they_arrive",
        ),
    ),
    "A7": (
        "personal links cannot be guessed, are kept as hashes, and open one study alone",
        (
            "store/test_respondents.py::test_a_token_has_192_random_bits_and_is_its_own",
            "store/test_respondents.py::test_the_database_file_does_not_hold_the_token",
            "store/test_respondents.py::test_a_token_of_one_study_opens_no_other",
            "web/test_respond.py::test_guessing_links_slows_down_and_disturbs_nobody_who_answers",
            "store/test_staff_links.py::test_a_link_is_good_once_in_time_and_for_its_purpose",
            "web/test_attempts.py::test_ten_guesses_a_minute_are_ten_wherever_they_arrive",
            "web/test_attempts.py::test_a_company_behind_one_address_is_not_kept_out",
            "abuse/test_walk.py::test_a_respondent_reaches_nobody_elses_answers_by_any_address",
        ),
    ),
    "A8": (
        "a session is new at login and ends with time, password, role or account",
        (
            "web/test_accounts.py::test_the_session_is_a_new_one",
            "web/test_accounts.py::test_a_disabled_account_and_a_new_password_end_every_session",
            "web/test_accounts.py::test_a_session_ends_after_rest_and_after_a_day_of_work",
            "web/test_rights.py::test_a_role_that_changes_takes_its_rights_at_once",
            "web/test_security.py::test_the_cookie",
            "web/test_own_account.py::test_whoever_kept_the_cookie_is_out_after_the_logout",
            "web/test_own_account.py::test_what_changes_an_account_ends_its_sessions_at_once",
        ),
    ),
    "A9": (
        "every page carries strict headers and asks no other host for anything",
        (
            "web/test_security.py::test_headers",
            "web/test_security.py::test_no_page_has_inline_script_or_another_host",
            "web/test_respond.py::test_the_personal_link_goes_on_elsewhere_with_the_same_tasks",
            "abuse/test_protection.py::test_every_route_carries_the_headers",
            "abuse/test_protection.py::test_no_page_has_anything_inline_or_from_elsewhere",
        ),
    ),
    "A10": (
        "whatever changes something needs its token",
        ("web/test_rights.py::test_whatever_changes_something_needs_the_token", "web/test_security.py::test_every_change_needs_the_token"),
    ),
    "A11": (
        "no request decides what links look like or whose it is",
        ("web/test_security.py::test_a_forged_host_changes_no_link", "web/test_security.py::test_only_configured_proxies_are_believed",
            "abuse/test_protection.py::test_a_forged_host_or_proxy_changes_no_link_and_no_limit",
        ),
    ),
    "A12": (
        "a panel's respondent goes back to the panel alone, signed, comes by a signed link, and takes part once",
        ("web/every/test_every_question.py::test_who_does_not_belong_ends_early_and_goes_back_to_the_panel",
            "abuse/test_protection.py::test_thirty_tricks_lead_nobody_to_another_host",
            "abuse/test_protection.py::test_a_panels_addresses_are_of_a_host_that_stands_in_the_study",
            "web/every/test_panel.py::test_each_end_is_signed_at_the_click",
            "web/every/test_panel.py::test_tests_and_simulated_respondents_are_never_signed",
            "web/every/test_panel.py::test_a_link_that_was_changed_is_refused_and_nothing_is_stored",
            "web/every/test_panel.py::test_a_link_counts_for_five_minutes",
            "web/every/test_panel.py::test_two_at_once_are_one",
            "web/every/test_panel.py::test_an_unsigned_name_counts_once_whatever_became_of_the_answers",
            "store/test_panels.py::test_the_database_alone_gives_no_key",
            "store/test_panels.py::test_without_the_look_before_the_key_of_the_database_holds",
        ),
    ),
    "A13": (
        "no secret is weak and no input is executed",
        ("faults/test_server.py::test_a_worker_that_refuses_ends_the_server_in_words",
            "abuse/test_protection.py::test_no_default_secret_no_debug_and_no_short_secret",
            "abuse/test_protection.py::test_the_code_runs_nothing_that_is_given_to_it",
            "test_locks.py::test_every_line_is_one_version_with_hashes_and_no_address",
        ),
    ),
    # I: bad input
    "I1": (
        "everything has a size, and what is larger is refused in a sentence",
        ("web/test_security.py::test_too_much_at_once", "web/api/test_rights.py::test_a_body_that_is_too_large_is_refused",
            "abuse/test_protection.py::test_an_address_is_not_longer_than_any_of_ours",
            "abuse/test_protection.py::test_no_field_is_longer_than_anybody_types",
            "web/api/test_rights.py::test_json_that_is_deep_long_doubled_or_no_text_is_refused",
            "abuse/test_protection.py::test_pages_are_sent_forms_and_files_only_where_they_ask_for_them",
        ),
    ),
    "I2": (
        "values that only look like text or numbers are refused before a database sees them",
        (
            "store/test_answers.py::test_what_the_databases_keep_differently_is_refused_before_they_see_it",
            "web/test_respond.py::test_hostile_values_are_refused_in_words",
            "web/test_security.py::test_a_number_that_no_database_holds_has_no_page",
            "abuse/test_routes.py::test_nothing_that_is_sent_makes_a_fault",
            "web/api/test_rights.py::test_json_that_is_deep_long_doubled_or_no_text_is_refused",
        ),
    ),
    "I3": ("no input is ever part of a query's text", (
            "abuse/test_routes.py::test_a_quote_in_any_field_is_a_quote_and_nothing_else",
            "abuse/test_routes.py::test_nothing_that_is_sent_makes_a_fault",
        )),
    "I4": (
        "hostile words stay words on every page and in every file",
        (
            "web/test_manage.py::test_an_authors_hostile_words_stay_words_from_the_file_to_the_download",
            "browser/test_results.py::test_a_hostile_label_runs_nothing_in_a_chart",
            "web/test_imports.py::test_what_is_in_a_file_is_text_on_every_page",
            "web/test_report.py::test_nothing_in_the_texts_of_a_study_does_anything",
            "abuse/test_stored_texts.py::test_no_page_makes_an_element_of_a_text",
            "abuse/test_stored_texts.py::test_no_chart_and_no_file_makes_markup_or_a_formula_of_a_text",
            "browser/test_hostile_texts.py::test_no_page_of_the_staff_runs_a_text",
            "browser/test_hostile_texts.py::test_no_chart_runs_a_text_when_it_is_pointed_at",
            "browser/test_hostile_texts.py::test_no_page_of_an_interview_runs_a_text",
        ),
    ),
    "I5": (
        "a file is tried first, taken whole or not at all, and its problems are counted and named",
        (
            "imports/test_problems.py::test_equal_problems_are_gathered_and_listed_one_by_one_in_the_file",
            "cli/test_imports.py::test_a_dry_run_says_what_would_be_added_and_adds_nothing",
            "store/test_imports.py::test_an_error_within_leaves_nothing",
            "imports/test_files.py::test_names_lose_folders_and_signs",
        ),
    ),
    "I6": (
        "a workbook that is a bomb or names other files is refused before it unpacks",
        (
            "imports/test_files.py::test_bombs_are_refused_before_they_unpack",
            "imports/test_files.py::test_document_types_are_refused",
            "imports/test_files.py::test_too_many_rows_are_refused",
        ),
    ),
    "I7": (
        "tables come in every usual encoding, delimiter and way to write numbers, and doubt is asked about",
        (
            "imports/test_files.py::test_every_encoding_gives_the_same_text",
            "imports/test_files.py::test_every_delimiter_is_found",
            "imports/test_files.py::test_empty_and_double_headings_have_names_of_their_own",
            "imports/test_problems.py::test_numbers_that_can_be_read_in_two_ways_are_asked_about",
        ),
    ),
    "I8": (
        "no cell of an export starts a formula, and numbers stay numbers",
        (
            "export/test_files.py::test_no_text_starts_a_formula",
            "export/test_files.py::test_numbers_stay_numbers_and_ordinary_text_stays_as_it_is",
            "export/test_files.py::test_a_workbook_holds_no_formula_no_link_and_real_numbers",
            "abuse/test_stored_texts.py::test_a_table_for_a_spreadsheet_holds_no_formula",
        ),
    ),
    "I9": (
        "an author's texts are data, also after answers were put into them",
        ("web/test_respond.py::test_the_authors_texts_are_data", "web/every/test_every_question.py::test_answers_in_texts_are_escaped"),
    ),
    "I10": ("no pattern takes long, whatever it is held against", (
            "abuse/test_validators.py::test_every_pattern_is_quick",
            "abuse/test_validators.py::test_a_pattern_that_is_slow_would_be_seen",
        )),
    "I11": (
        "mistakes of a survey are found before it is published, each with its remedy",
        (
            "survey/test_load.py::test_a_mistake_is_named_with_its_remedy",
            "survey/test_load.py::test_all_mistakes_come_at_once",
            "web/test_publishing.py::test_rules_that_leave_no_task_are_said_and_nothing_is_published",
        ),
    ),
    # S: figures tell the truth
    "S1": (
        "figures equal those of other programs, and derivatives those of the definition",
        (
            "estimation/test_golden.py::test_coefficients",
            "estimation/test_golden.py::test_log_likelihood",
            "estimation/test_golden.py::test_errors_clustered_by_respondent",
            "estimation/test_conditional_logit.py::test_derivatives_are_those_of_the_definition",
            "estimation/test_mixed_logit.py::test_electricity_is_xlogits_to_the_digit",
        ),
    ),
    "S2": (
        "where a search can end in different places, it starts often and says how often it arrived",
        ("estimation/test_latent_class.py::test_notes", "estimation/test_latent_class.py::test_electricity_figures"),
    ),
    "S3": (
        "intervals hold the truth as often as they say",
        ("estimation/test_recovery.py::test_intervals_of_wtp_cover_the_truth", "pricing/test_coverage.py::test_competitive_premiums_hold_in_95_of_100_studies"),
    ),
    "S4": (
        "a level always or never chosen is named with its count, and gives no number",
        (
            "estimation/test_diagnostics.py::test_a_level_never_chosen_is_named_with_its_count",
            "estimation/test_diagnostics.py::test_a_level_always_chosen",
            "estimation/test_diagnostics.py::test_a_combination_never_chosen_gives_no_number",
        ),
    ),
    "S5": (
        "columns that cannot be told apart are named",
        (
            "estimation/test_diagnostics.py::test_columns_that_change_together_are_named",
            "estimation/test_diagnostics.py::test_nearly_aliased_columns_get_a_warning",
            "estimation/test_diagnostics.py::test_what_never_differs_within_a_task_is_named",
        ),
    ),
    "S6": (
        "without an effect of the price there is no figure in money, and beyond the tested prices no number",
        (
            "pricing/test_willingness_to_pay.py::test_nothing_is_shown_where_the_price_did_not_drive_the_answers",
            "pricing/test_willingness_to_pay.py::test_of_fifty_studies_without_an_effect_of_the_price_one_in_twenty_at_most_shows_money",
            "pricing/test_reservation_price.py::test_outside_the_tested_prices_it_is_withheld",
            "web/test_manage.py::test_a_price_that_did_not_matter_shows_no_money_and_says_why",
        ),
    ),
    "S7": (
        "chains that have not converged are called preliminary",
        (
            "estimation/test_hierarchical.py::test_the_stop_rule_is_about_every_watched_quantity",
            "analysis/test_estimators.py::test_its_limits_are_preliminary_until_the_chains_have_converged",
            "estimation/test_convergence.py::test_figures_are_those_of_arviz",
        ),
    ),
    "S8": (
        "known truths rank evenly among the sampler's draws, and planted errors do not",
        (
            "estimation/test_hierarchical_calibration.py::test_true_values_rank_evenly_among_their_draws",
            "estimation/test_hierarchical_calibration.py::test_a_planted_error_is_shown",
        ),
    ),
    "S9": (
        "small segments have no figure of their own, or one that is called a hint",
        (
            "analysis/test_study.py::test_small_segments_are_withheld_and_said",
            "pricing/test_people.py::test_too_few_respondents_or_no_none_option_give_no_limit",
            "estimation/test_diagnostics.py::test_small_samples",
        ),
    ),
    "S10": (
        "who always says the same is counted, and what that does to figures is told",
        ("estimation/test_toughness.py::test_the_truth_is_still_found_among_always_none", "web/test_quality.py::test_how_much_they_matter_is_compared_on_request"),
    ),
    "S11": (
        "names, order, units and reference levels change no figure",
        (
            "estimation/test_invariances.py::test_the_order_of_rows",
            "estimation/test_invariances.py::test_the_base_level",
            "estimation/test_invariances.py::test_the_unit_of_the_price",
            "estimation/test_invariances.py::test_doubled_data_with_respondents_kept",
            "estimation/test_invariances.py::test_the_names_of_respondents_and_tasks",
        ),
    ),
    "S12": (
        "who is left out is said with its effect, by whom and why",
        (
            "web/test_quality.py::test_the_toggle_changes_every_figure_chart_and_download_and_says_so",
            "web/test_quality.py::test_more_than_15_per_cent_left_out_is_a_red_note",
            "quality/test_planted.py::test_no_signal_looks_at_the_prices_that_somebody_states",
        ),
    ),
    "S13": (
        "a verdict is right as often as it says",
        ("pricing/test_coverage.py::test_verdicts_stated_at_80_per_cent_are_right_in_75_to_85", "pricing/test_investment.py::test_how_many_labels_are_expected_to_be_wrong"),
    ),
    "S14": (
        "a warning says what, where, what it does and what to do",
        ("estimation/test_diagnostics.py::test_a_note_is_a_template_and_its_values", "web/test_results.py::test_notes_stand_above_the_figures_in_the_words_of_the_page"),
    ),
    # Q: the quality of answers
    "Q1": ("who answers faster than one can read is flagged", ("quality/test_planted.py::test_speed_and_copied_texts_count_once_each",)),
    "Q2": (
        "the hurried are asked once, politely, unless the author does not want it",
        (
            "web/every/test_drafts.py::test_the_hurried_are_asked_once_to_take_their_time",
            "web/every/test_drafts.py::test_the_author_may_leave_the_word_to_the_hurried_out",
        ),
    ),
    "Q3": (
        "one position again and again is a flag by its probability",
        (
            "quality/test_planted.py::test_each_kind_is_caught_by_its_own_signal",
            "quality/test_planted.py::test_one_point_for_all_items_is_a_flag_only_where_an_item_is_reversed",
        ),
    ),
    "Q4": ("repeated and dominated tasks tell of the study, hardly of a person", ("quality/test_planted.py::test_the_repeated_task_and_the_dearer_twin",)),
    "Q5": (
        "the cut-off for random answers comes with what it catches and costs",
        (
            "quality/test_planted.py::test_false_alarms_and_catches_are_within_2_points_of_the_forecast",
            "quality/test_planted.py::test_the_table_tells_what_a_cut_off_costs",
            "quality/test_planted.py::test_fewer_tasks_catch_fewer",
        ),
    ),
    "Q6": (
        "who comes twice is refused by panel or link, and copies are flagged",
        (
            "web/every/test_every_question.py::test_an_invitation_works_once_and_can_be_sent_again",
            "quality/test_planted.py::test_each_kind_is_caught_by_its_own_signal",
        ),
    ),
    "Q7": ("programs that answer leave signs", ("web/every/test_every_question.py::test_a_trap_and_a_pasted_text_leave_signs",
            "abuse/test_protection.py::test_a_flood_of_new_interviews_is_slowed_and_keeps_nobody_out_who_has_a_link",
            "abuse/test_protection.py::test_who_sends_pages_faster_than_anybody_reads_waits_and_nobody_else",
        )),
    "Q8": (
        "pasted and copied texts are flags, and no text leaves the house",
        ("quality/test_planted.py::test_traps_and_equal_words", "web/every/test_every_question.py::test_a_trap_and_a_pasted_text_leave_signs"),
    ),
    "Q9": (
        "the planted are caught and the honest left alone",
        (
            "quality/test_planted.py::test_at_least_four_in_five_of_each_kind_are_caught",
            "quality/test_planted.py::test_hardly_any_honest_respondent_is_flagged_twice",
        ),
    ),
    # P: privacy
    "P1": (
        "nothing is kept of anybody before consent, and consent is kept with its text",
        ("web/test_respond.py::test_nothing_is_kept_before_consent", "store/test_respondents.py::test_an_invitation_holds_no_consent_and_shows_nothing",
            "web/test_privacy_modes.py::test_the_consent_is_kept_word_for_word_as_it_was_shown",
            "web/test_my_data.py::test_every_page_after_consent_leads_there",
        ),
    ),
    "P2": (
        "who somebody is and what somebody answered stand apart",
        ("store/test_contacts.py::test_the_number_of_a_customer_is_stored_nowhere", "store/test_contacts.py::test_links_are_made_on_purpose_and_only_where_the_survey_allows_it",
            "store/test_roles.py::test_every_table_is_seen_or_kept_from_analysts",
            "store/test_roles.py::test_the_role_reads_answers_and_is_refused_on_persons",
            "store/test_roles.py::test_contacts_tokens_and_answers_are_in_tables_apart",
            "web/test_privacy_modes.py::test_with_the_last_page_nothing_leads_from_the_answers_to_the_invitation",
        ),
    ),
    "P3": ("a person can see and erase all that is kept", (
            "store/test_erasure.py::test_nothing_of_the_person_is_left_in_any_table",
            "web/test_my_data.py::test_it_shows_and_hands_out_everything",
            "web/test_my_data.py::test_deleting_leaves_nothing_and_old_pages_bring_nothing_back",
            "cli/test_privacy.py::test_access_writes_everything",
        )),
    "P4": ("who was erased stays erased after a restore", (
            "store/test_erasure.py::test_an_old_backup_is_erased_again_by_the_file_alone",
        )),
    "P5": ("answers go when their time is over", (
            "store/test_retention.py::test_first_what_leads_to_persons_then_single_answers",
            "store/test_retention.py::test_of_many_workers_one_does_it_and_once_a_day",
            "cli/test_privacy.py::test_retention_tells_and_then_deletes",
        )),
    "P6": ("no address and no browser is kept with answers", (
            "web/test_no_trace.py::test_a_whole_interview_leaves_no_trace_of_the_device",
            "web/test_no_trace.py::test_the_search_would_find_a_trace",
        )),
    "P7": (
        "who did what is kept in a log that shows changes and holds no secret",
        (
            "store/test_decisions.py::test_the_log_is_a_chain_that_shows_changes",
            "web/test_quality.py::test_a_changed_log_is_shown",
            "web/api/test_rights.py::test_no_reply_and_no_log_entry_holds_a_secret",
            "web/test_persons_logged.py::test_every_export_of_answers_is_logged",
            "web/test_persons_logged.py::test_what_tells_of_single_persons_is_logged",
            "web/test_persons_logged.py::test_the_log_holds_no_answer_no_contact_and_no_link",
        ),
    ),
    "P8": (
        "no figure of a few people is told, nor what it could be worked out from",
        (
            "analysis/test_disclosure.py::test_no_small_group_is_told_nor_left_over",
            "analysis/test_disclosure.py::test_small_cells_are_missing_with_their_number",
            "analysis/test_asked.py::test_nobody_can_work_out_a_small_group",
            "analysis/test_asked.py::test_open_texts_are_counted_and_nowhere_repeated",
        ),
    ),
    "P9": (
        "no two selections together tell of a few people",
        ("analysis/test_customers.py::test_nothing_is_told_of_fewer_than_ten_customers_nor_of_what_they_could_be_worked_out_from",
            "analysis/test_disclosure_pairs.py::test_no_two_figures_that_are_given_differ_by_a_few",
            "analysis/test_disclosure_pairs.py::test_no_three_figures_that_are_given_tell_of_a_few",
            "analysis/test_disclosure_pairs.py::test_one_more_answer_a_day_waits_until_ten_came_in_each_segment",
            "analysis/test_disclosure_pairs.py::test_the_fewest_that_can_be_left_are_found",
            "analysis/test_disclosure_pairs.py::test_without_the_rule_some_do",
            "web/test_few.py::test_one_more_answer_a_day_is_not_worked_out",
            "web/test_few.py::test_an_analysts_figures_of_a_moment_between_stay_closed",
            "web/test_few.py::test_programs_are_told_no_more_than_people",
        ),
    ),
    "P10": ("the record of processing is written by the installation itself", (
            "cli/test_privacy.py::test_the_record_is_made_of_what_is_there",
        )),
    "P11": (
        "no figure is about a named employee or about few customers",
        ("web/test_contact_results.py::test_a_few_customers_are_withheld_and_so_is_what_tells_of_them", "analysis/test_customers.py::test_of_nine_customers_no_figure_is_made_whatever_they_do"),
    ),
    # L: load
    "L1": ("150 pages a second are taken, quickly", ("load/test_load.py::test_what_is_acknowledged_is_stored_once",)),
    "L2": ("beyond its limit the server says so at once, and loses nothing", ("web/test_bot.py::test_a_busy_server_is_asked_again",
            "load/test_overload.py::test_who_waits_too_long_is_told_while_all_threads_are_busy",
            "load/test_overload.py::test_a_crowd_beyond_what_can_be_served_loses_nothing",
        )),
    "L3": (
        "quotas and versions are filled to the last place and never beyond",
        (
            "load/test_crowd.py::test_all_at_once_fill_each_quota_to_its_last_place",
            "web/every/test_every_question.py::test_many_at_once_never_exceed_a_quota",
            "store/test_respondents.py::test_fifty_people_at_once_get_numbers_from_1_and_evenly_filled_versions",
            "faults/test_many_hands.py::test_four_hundred_who_finish_at_once_fill_a_quota_of_a_hundred",
            "faults/test_many_hands.py::test_counting_first_and_taking_the_place_afterwards_overfills_it",
        ),
    ),
    "L4": (
        "clients that are slow keep nobody waiting",
        ("load/test_slow_clients.py::test_slow_clients_hold_nobody_up", "load/test_slow_clients.py::test_a_server_with_one_thread_is_held_up"),
    ),
    "L5": ("analyses slow no page down", ("web/test_quality.py::test_in_the_field_nothing_is_computed_by_looking",)),
    "L6": (
        "nothing grows without end",
        ("load/test_load.py::test_memory_and_files_do_not_grow_with_open_interviews", "export/test_formats.py::test_tables_of_any_number_of_respondents_come_in_parts", "store/test_answers.py::test_batches_are_the_same_answers_of_one_state_whatever_comes_meanwhile"),
    ),
    "L7": (
        "alive and ready are two questions",
        ("web/test_security.py::test_ready_means_that_an_answer_would_be_kept", "faults/test_server.py::test_a_dead_worker_is_replaced",
            "faults/test_reload.py::test_no_request_fails_while_all_is_loaded_anew_and_wrong_settings_change_nothing",
            "faults/test_reload.py::test_the_crowd_would_notice",
        ),
    ),
    # T: the ten tests
    "T1": (
        "kill workers under load; the control replies before it commits",
        ("faults/test_kill.py::test_workers_killed_at_any_moment_lose_and_double_nothing", "faults/test_kill.py::test_a_reply_before_the_commit_is_found_out"),
    ),
    "T2": (
        "count what reaches the disk; the control waits for nothing",
        (
            "faults/test_on_the_disk.py::test_the_disk_is_waited_for_before_every_reply",
            "faults/test_on_the_disk.py::test_control_without_waiting_there_are_hardly_any_syncs",
            "faults/test_on_the_disk.py::test_copies_at_random_moments_and_cut_logs_are_consistent",
            "faults/test_on_the_disk.py::test_control_a_log_that_is_cut_where_it_is_written_back_is_found",
        ),
    ),
    "T3": (
        "many hands at one door; the control counts and then inserts",
        (
            "store/test_answers.py::test_fifty_equal_posts_at_once_make_one_row_and_equal_replies",
            "store/test_answers.py::test_control_looking_and_then_inserting_doubles_without_a_lock",
            "faults/test_many_hands.py::test_four_hundred_who_finish_at_once_fill_a_quota_of_a_hundred",
            "faults/test_many_hands.py::test_counting_first_and_taking_the_place_afterwards_overfills_it",
            "faults/test_many_hands.py::test_fifty_windows_that_send_the_last_page_at_once_end_one_interview",
            "faults/test_many_hands.py::test_without_the_lock_and_the_key_fifty_windows_fail",
        ),
    ),
    "T4": (
        "walk all routes in all roles",
        ("web/test_rights.py::test_every_role_gets_what_it_may_and_nothing_else", "web/test_rights.py::test_no_route_answers_to_another_method",
            "abuse/test_walk.py::test_staff_reach_no_other_study_by_any_address",
            "abuse/test_walk.py::test_a_respondent_reaches_nobody_elses_answers_by_any_address",
        ),
    ),
    "T5": (
        "hostile input on every route",
        ("web/api/test_document.py::test_some_hundred_requests_find_no_fault_and_nothing_undocumented", "imports/test_files.py::test_random_bytes_give_a_file_or_an_error_in_words",
            "abuse/test_routes.py::test_nothing_that_is_sent_makes_a_fault",
            "abuse/test_answers.py::test_no_answer_makes_a_fault",
            "abuse/test_files.py::test_no_file_makes_a_fault",
        ),
    ),
    "T6": (
        "intervals over many simulated studies; the control forgets who answered",
        (
            "estimation/test_recovery.py::test_intervals_of_wtp_cover_the_truth",
            "estimation/test_recovery.py::test_intervals_that_forget_who_answered_are_too_narrow",
            "estimation/test_golden.py::test_clustering_matters",
            "pricing/test_willingness_to_pay.py::test_of_fifty_studies_without_an_effect_of_the_price_one_in_twenty_at_most_shows_money",
        ),
    ),
    "T7": (
        "idle, half and slow clients on the shipped server; the control has one thread",
        ("load/test_slow_clients.py::test_slow_clients_hold_nobody_up", "load/test_slow_clients.py::test_a_server_with_one_thread_is_held_up"),
    ),
    "T8": (
        "simulation-based calibration; the controls are planted errors",
        (
            "estimation/test_hierarchical_calibration.py::test_true_values_rank_evenly_among_their_draws",
            "estimation/test_hierarchical_calibration.py::test_a_planted_error_is_shown",
        ),
    ),
    "T9": ("planted respondents, and pairs of selections", ("quality/test_planted.py::test_at_least_four_in_five_of_each_kind_are_caught",
            "analysis/test_disclosure_pairs.py::test_no_two_figures_that_are_given_differ_by_a_few",
            "analysis/test_disclosure_pairs.py::test_no_three_figures_that_are_given_tell_of_a_few",
        )),
    "T10": ("back up, erase, search everything, restore", (
            "store/test_erasure_backup.py::test_erased_stays_erased_whatever_is_restored",
        )),
}  # fmt: skip

# What no test shows yet, or not in full.
OPEN: dict[str, str] = {
    "D7": "200 random cuts with --release, a twentieth in the suite",
    "D9": "10 publishes in the suite; 20 during 500 interviews by benchmarks/publishing.py alone",
    "I2": "not every trap on every route by hand",
    "I6": "no limit of memory for the process that reads a workbook",
    "S2": "fewer than twenty starts by default where a fit is large",
    "S10": "headlines without those who always say the same are given on request alone",
    "Q6": "no mark of the browser is kept, so copies are found by their answers alone",
    "P2": "the hash of a token stands with the invitation and the interview, in columns that the analysts' role cannot read, not in a table of its own",
    "P9": "10,000 pairs and 3,000 triples with --release, a twentieth in the suite; contacts, purchases and found groups are judged on one day alone",
    "L1": "at its rate by benchmarks/load.py alone; tests time nothing",
    "L5": "the slowdown by a running fit is measured by benchmarks/load.py --fit alone: median page a sixth on PostgreSQL, 38 % on SQLite",
    "L6": "the hour of soak is benchmarks/load.py --minutes 60; tests look at memory, files and log over a short run",
    "T4": "each protection was removed by hand, not by a test",
    "T5": "10,000 inputs with --release, a twentieth in the suite",
    "T6": "400 studies with --release, 40 in the suite",
    "T9": "10,000 pairs and 3,000 triples with --release alone",
}  # fmt: skip


@functools.cache
def _tests_in(path: str) -> frozenset[str]:
    """Names of the test functions of a file; none where there is no such file."""
    file = TESTS / path
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.is_file() else ast.Module([], [])
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_no_promise_is_missing() -> None:
    numbers = {f"{letter}{number}" for letter, last in NUMBERS.items() for number in range(1, last + 1)}
    assert PROMISES.keys() == numbers
    assert OPEN.keys() <= numbers
    assert all(len(words) > 10 for words, _ in PROMISES.values())


def test_every_named_test_exists() -> None:
    named = [(number, test) for number, (_, tests) in PROMISES.items() for test in tests]
    wrong = []
    for number, test in named:
        path, _, function = test.partition("::")
        if not function.startswith("test_") or function not in _tests_in(path):
            wrong.append(f"{number}: {test}")
    assert wrong == []


def test_what_nothing_tests_says_why() -> None:
    untested = {number for number, (_, tests) in PROMISES.items() if not tests}
    assert untested <= OPEN.keys()
    assert all(OPEN.values())
