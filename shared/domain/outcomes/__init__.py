"""What calls are expected to bring, what they brought, and whom to call."""
