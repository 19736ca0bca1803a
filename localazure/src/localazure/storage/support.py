"""What of Azure Storage is here: (feature, state, the test that shows it, the difference from Azure).

The services themselves are Azurite's, and so is what they lack: https://github.com/Azure/Azurite#features-scope
"""

from __future__ import annotations

_ROWS = (
    ("Blob, queue and table storage", "yes", "test_supervisor.py::test_state_outlives_a_stop",
     "Azurite's; one account, of a public key"),
    ("State outlives a stop", "yes", "test_supervisor.py::test_state_outlives_a_stop", ""),
    ("What was acknowledged outlives a kill -9 of Azurite, and its transactions are whole or not there", "yes",
     "test_sudden_death.py::test_all_that_was_acknowledged_outlives_a_kill",
     "a power cut may take the last seconds: nothing is forced to the medium before it is answered"),
    ("A killed Azurite is started again", "yes",
     "test_sudden_death.py::test_a_killed_azurite_is_started_again_with_all_that_was_acknowledged",
     "three times within a minute"),
    ("On a full disk nothing is acknowledged (503); it goes on when there is room", "yes",
     "test_sudden_death.py::test_on_a_full_disk_nothing_is_acknowledged_and_with_room_again_it_goes_on",
     "what needs room for a blob's or a message's bytes is a 500 of Azurite's own"),
    ("Nothing is left behind by a killed supervisor", "yes",
     "test_supervisor.py::test_azurite_ends_with_its_supervisor", ""),
    ("An access log of every finished request, with what each write was", "yes",
     "test_supervisor.py::test_the_access_log_says_of_a_write_what_it_was", "not in Azure in this form"),
    ("Tokens instead of keys, and roles: each call needs the action that Azure's documentation names", "yes",
     "test_front.py::test_what_it_does_not_allow_is_a_403_of_azures_own",
     "with --access; batches of blobs, and what else the table of operations lacks, are refused"),
    ("Entity group transactions need what each part needs", "yes",
     "test_front.py::test_a_transaction_needs_what_each_of_its_parts_needs", ""),
    ("401 for a token that is expired, another service's or another issuer's; 403 for a key", "yes",
     "test_front.py::test_who_does_not_sign_in_as_azure_wants_it_is_told_so", "with --access"),
    ("The log is bounded", "yes", "test_supervisor.py::test_the_log_is_bounded", ""),
)  # fmt: skip
SUPPORT: tuple[tuple[str, str, str, str], ...] = tuple(
    (feature, state, f"tests/storage/{test}" if test else "", difference)
    for feature, state, test, difference in _ROWS
)
