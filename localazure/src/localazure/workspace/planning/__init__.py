"""From a job's body to a plan: components looked up, inputs bound, nested pipelines laid flat. Runs nothing."""
