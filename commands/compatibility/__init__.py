"""Whether today's description of the HTTP API breaks a client of the last release: `python -m commands.compatibility`.

What a client sends may only become wider (what was right stays right); what it receives may only become narrower, or gain.
For webhooks it is the other way round: there we send. Why this and no library: docs/decisions/0008.
"""
