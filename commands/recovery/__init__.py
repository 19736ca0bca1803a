"""Backup and restore of the ledger, which storage itself cannot bring back."""
