"""What wraps each request: trace and request id, the gate, rate limit, API version, ETag, 304, long poll."""
