"""The only places that know Azure's SDKs; what these raise leaves them as an error of `shared.errors`."""
