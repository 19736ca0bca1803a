"""What an AutoML job or step says of its search."""

from __future__ import annotations

from localazure.workspace.bodies.body import ONE_MACHINE, body

AUTOML_STEP_ABOUT = (
    "name", "type", "display_name", "outputs", "computeId", "compute", "tags", "properties", "_source",
    "description", "identity", "experiment_name", "resources", "environment_variables", "environment_id", "comment",
    "queue_settings",
)  # fmt: skip
"""Keys of an AutoML step that are not about the search."""
AUTOML_TASK = body(
    "the AutoML task",
    [
        "task", "primary_metric", "target_column_name", "training_data", "validation_data", "validation_data_size",
        "n_cross_validations", "weight_column_name", "limits", "training", "featurization",
    ],
    kept={"log_verbosity": "the log says everything"},
    refused={
        "test_data": "no test run is made; score the test data with the model",
        "test_data_size": "no test run is made; keep test data apart",
        "cv_split_column_names": "folds are drawn at random, by class",
        "positive_label": "no metrics of one class are computed",
    },
)  # fmt: skip
AUTOML_TRAINING = body(
    "the AutoML training settings",
    [
        "allowed_training_algorithms", "blocked_training_algorithms", "enable_vote_ensemble",
        "enable_stack_ensemble",
    ],
    kept={
        "enable_model_explainability": "no explanation run is made",
        "enable_dnn_training": "neural networks are not tried, whether allowed or not",
        "enable_onnx_compatible_models": "models are never ONNX",
        "ensemble_model_download_timeout": "models are on this machine",
        "training_mode": "the data is on one machine",
    },
    refused={"stack_ensemble_settings": "the stack's second level is always a logistic regression"},
)  # fmt: skip
AUTOML_FEATURIZATION = body(
    "the AutoML featurization",
    ["mode"],
    kept={"enable_dnn_featurization": "neural networks are not used, whether allowed or not"},
    refused=dict.fromkeys(
        ("blocked_transformers", "column_name_and_types", "transformer_params", "dataset_language"),
        "custom featurization is not emulated",
    ),
)
AUTOML_LIMITS = body(
    "the AutoML limits",
    [
        "max_trials", "max_concurrent_trials", "max_cores_per_trial", "timeout", "timeout_minutes",
        "trial_timeout", "trial_timeout_minutes", "exit_score", "enable_early_termination",
    ],
    kept={
        "max_nodes": ONE_MACHINE,
        "sweep_concurrent_trials": "means searches over images and text",
        "sweep_trials": "means searches over images and text",
    },
)  # fmt: skip
