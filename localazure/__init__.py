"""The embedded Azure: what a bank's subscription provides, on one machine, for the unmodified SDKs."""
