"""The HTTP API: who may ask, what may be asked, and how an answer looks."""
