"""The local stack: its state folder, its four processes, their ports, settings and storage layout."""
