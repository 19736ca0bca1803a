"""What travels: calls, replies and refusals, ARM envelopes, timestamps, TLS, and the server that reads and writes them."""
