"""What is kept: documents in SQLite, files in the storage account, and which path means which blob."""
