"""The only places that know Azure's SDKs."""
