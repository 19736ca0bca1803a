"""Lists of clients as such: what is known of a list as a whole when it is handed in, before any call."""
