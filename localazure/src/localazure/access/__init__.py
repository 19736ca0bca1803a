"""Who may do what: identities, their tokens, their roles, and what each call needs; asked for by `--access FILE`."""
