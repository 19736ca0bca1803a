"""What of Event Grid is here: (feature, state, the test that shows it, the difference from Azure).

The state is `yes`, `partial`, `no-refused` (the test shows how) or `no`.
"""

from __future__ import annotations

_ROWS = (
    # --- what happens in storage
    ("BlobCreated by PutBlob, with the fields of Azure's schema", "yes",
     "test_blob_created.py::test_an_upload_makes_the_event_azure_makes", "the sequencer is a plain count"),
    ("BlobCreated by PutBlockList", "yes", "test_blob_created.py::test_blocks_speak_when_they_are_committed",
     "when the blob was replaced since, contentLength is that of the newer one"),
    ("BlobCreated by CopyBlob", "yes", "test_blob_created.py::test_a_copy_says_so", ""),
    ("BlobCreated of append and page blobs", "yes", "test_blob_deleted.py::test_other_kinds_of_blobs_say_so", ""),
    ("requestId, clientRequestId and eTag of the very write", "yes",
     "test_blob_deleted.py::test_an_event_tells_of_its_own_write_though_the_blob_is_another_by_now", ""),
    ("BlobDeleted", "yes", "test_blob_deleted.py::test_a_deletion_makes_the_event_azure_makes",
     "contentType is known of blobs written since somebody subscribed; not for deletions in a batch"),
    ("BlobTierChanged, AsyncOperationInitiated, Data Lake events", "no", "", "no such event comes"),
    ("Nothing is lost over a kill of Event Grid", "yes",
     "test_blob_created.py::test_kills_in_the_middle_of_a_burst_lose_nothing",
     "unless the access log was rotated past what was read (32 MiB)"),
    # --- Azure Machine Learning
    ("RunStatusChanged, RunCompleted, on the workspace's topic", "yes",
     "test_workspace_events.py::test_what_the_workspace_tells_of_runs", ""),
    ("ModelRegistered, ModelDeployed, on the workspace's topic", "yes",
     "test_workspace_events.py::test_what_the_workspace_tells_of_models_and_deployments", ""),
    ("DatasetDriftDetected", "no", "", "there is no drift monitor"),
    # --- custom topics
    ("Custom topics for azure-eventgrid: EventGridEvent", "yes",
     "test_topics.py::test_event_grid_events_arrive_with_their_topic", "a topic is made by publishing to it"),
    ("Custom topics for azure-eventgrid: CloudEvent 1.0", "yes",
     "test_topics.py::test_cloud_events_arrive_as_they_were_sent", "one topic takes both schemas"),
    ("Access keys: 401 for a wrong one", "yes", "test_topics.py::test_a_wrong_key_is_refused",
     "one key for all topics"),
    ("Publishing by token and role (EventGrid Data Sender)", "yes",
     "test_event_roles.py::test_publishing_asks_for_the_role", "with --access; the words of its refusals are not known"),
    ("Delivery and dead letters as the topic's identity", "yes",
     "test_event_roles.py::test_a_topic_delivers_as_itself_and_not_without_its_role", "with --access"),
    ("SAS tokens", "yes", "test_topics.py::test_a_sas_token_is_good_until_it_expires", ""),
    ("Tokens of Microsoft Entra ID", "no", "", "401"),
    ("400 for what is malformed", "yes", "test_topics.py::test_a_malformed_request_is_refused", ""),
    ("413 over 1 MiB", "yes", "test_topics.py::test_too_much_at_once_is_refused", ""),
    ("Custom input schemas, domains, namespaces", "no-refused", "test_filters.py::test_what_is_not_here_is_refused_by_name",
     "refused by name"),
    # --- subscriptions
    ("Subscriptions in the words of ARM and Bicep", "yes",
     "test_filters.py::test_a_subscription_in_the_words_of_arm",
     "from a file or by PUT /subscriptions/NAME; not by the management API"),
    ("Filters: event types, subject, case", "yes", "test_filters.py::test_types_and_subjects", ""),
    ("Filters: all advanced operators, into lists", "yes", "test_filters.py::test_advanced_filters", ""),
    ("Delivery as CloudEvents of events published otherwise", "yes",
     "test_webhooks.py::test_cloud_events_are_asked_for_by_options_and_come_as_themselves", ""),
    ("What is not here is refused by name", "yes", "test_filters.py::test_what_is_not_here_is_refused_by_name", ""),
    ("A subscription outlives a kill", "yes",
     "test_webhooks.py::test_a_subscription_outlives_a_kill_and_is_not_asked_again", ""),
    # --- destinations
    ("Storage queues, base64", "yes", "test_topics.py::test_event_grid_events_arrive_with_their_topic",
     "managed identities are taken as given: there are no roles"),
    ("Webhooks: SubscriptionValidation with validationCode", "yes",
     "test_webhooks.py::test_a_webhook_is_asked_and_then_sent_one_event_at_a_time",
     "http is taken to this machine"),
    ("Webhooks: validation by validationUrl", "yes", "test_webhooks.py::test_a_webhook_may_agree_by_calling_back",
     "never expires; what is published meanwhile is held"),
    ("Webhooks: the OPTIONS handshake of CloudEvents", "yes",
     "test_webhooks.py::test_cloud_events_are_asked_for_by_options_and_come_as_themselves", ""),
    ("Webhooks: a failed handshake makes no subscription", "yes",
     "test_webhooks.py::test_who_does_not_agree_gets_no_subscription",
     "a webhook named in the file is asked again until it agrees"),
    ("Event Hubs, Service Bus, Functions, hybrid connections", "no-refused",
     "test_filters.py::test_what_is_not_here_is_refused_by_name",
     "refused by name; a function is reached by its webhook"),
    ("Batches of events", "no-refused", "test_filters.py::test_what_is_not_here_is_refused_by_name", "refused by name"),
    # --- delivery
    ("At least once; each attempt counts", "yes", "test_webhooks.py::test_what_is_not_taken_comes_again_and_counts",
     ""),
    ("The documented retry schedule", "yes", "test_dead_letters.py::test_the_schedule_is_the_documented_one",
     "its time is scaled by --retry-scale"),
    ("The documented answer to each status code", "yes", "test_dead_letters.py::test_what_an_answer_means", ""),
    ("maxDeliveryAttempts", "yes", "test_dead_letters.py::test_after_so_many_attempts_it_is_a_dead_letter", ""),
    ("eventTimeToLiveInMinutes", "yes", "test_dead_letters.py::test_too_old_it_is_a_dead_letter",
     "its time is scaled by --life-scale"),
    ("Dead letters in a container, with the reason", "yes",
     "test_dead_letters.py::test_a_refusal_for_good_is_a_dead_letter_at_once",
     "the word for a refusal for good is not verified"),
    ("Dead letters outlive a kill", "yes", "test_dead_letters.py::test_a_dead_letter_outlives_a_kill", ""),
    ("One slow destination holds up no other", "yes",
     "test_webhooks.py::test_a_slow_webhook_holds_up_no_other_subscription",
     "four deliveries at a time to a webhook"),
    ("What was accepted survives a kill", "yes", "test_topics.py::test_what_was_accepted_survives_a_kill", ""),
    # --- on request
    ("Duplicates on request", "yes", "test_topics.py::test_duplicates_on_request", "not in Azure"),
    ("Delay and loss on request", "yes", "test_topics.py::test_drops_and_delays_on_request", "not in Azure"),
    ("Reordering on request", "yes", "test_topics.py::test_a_burst_out_of_order_on_request", "not in Azure"),
)  # fmt: skip
SUPPORT: tuple[tuple[str, str, str, str], ...] = tuple(
    (feature, state, f"tests/events/{test}" if test else "", difference)
    for feature, state, test, difference in _ROWS
)
DIFFERENCES = (
    "Topics are not made: a custom topic is there once somebody publishes to it, and all have one key.",
    "A queue gets its events in the order they came in, while none is held back; Azure promises no order.",
    "A destination in trouble is left alone until its next attempt is due; events behind it are not counted as tried.",
    "Events of storage follow from Azurite's log, where this project starts Azurite. With the log of an Azurite started "
    "otherwise, requestId is made up, and a blob that is gone before it is looked at makes no event.",
    "On the local network of one machine webhooks may be http; certificates of https are checked.",
)
DISAGREEMENTS = (
    "401 and 403 of a webhook: the page on delivery and retry lists them as not retried, older versions of it as retried "
    "after five minutes. Here both are final.",
    "401 and 404 of a queue: the page's first table has neither, its second says five minutes or more. They are tried "
    "again after five minutes.",
    "eTag in BlobCreated: the page on the schema shows it with and without quotes. Here it comes without.",
)
UNVERIFIED = (
    "Nothing here was held against a running Event Grid. Shapes come from Microsoft's documents and the SDK.",
    "`UndeliverableDueToClientError` as deadLetterReason, and the words for outcomes beside NotFound and BadRequest.",
    "The headers of a delivery beside aeg-event-type; dataschema as `#` and the dataVersion.",
    "What of a webhook's events becomes that are published while its manual validation is awaited (here: held).",
)
