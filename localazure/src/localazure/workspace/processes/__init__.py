"""Child processes of jobs and deployments: where they start and end, and the virtual environments they run in."""
