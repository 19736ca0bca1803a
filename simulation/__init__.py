"""The real flow over simulated ports, where every call may fail: deterministic simulation testing.

    choices      the points at which a run may go another way, and chance that is the same everywhere
    scheduler    virtual time; greenlets, of which one runs at a time
    processes    instances of the app that may die, and what may become of a call of a port
    host         queues and triggers, around the app's own handlers of messages
    world        what is durable, and who else acts: people, the workspace, clocks
    scenarios    how a run begins, and what has to come of it
    oracles      what must hold of every run, by what is stored
    runs         one schedule; explore: which schedules; shrink: the smallest that still fails
    determinism  what of the product is replaced, so that a run can be repeated; remembered: what is computed once

Models of its form: TigerBeetle's VOPR, FoundationDB's simulation, Resonate's deterministic simulation tests.
docs/reliability.md says what it finds and what it does not; decision 0028 why it is as it is.
"""
