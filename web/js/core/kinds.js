/** The kinds of things and their states; made from shared/kinds.py by `python docs/generated.py`. */

/** @satisfies {Record<string, { plural: string, states: Record<string, Page.StateMeaning> }>} */
export const KINDS = {
  "upload": {
    "plural": "uploads",
    "states": {
      "arrived": {
        "tone": "run",
        "label": "being checked",
        "sentence": "arrived",
        "final": false,
        "needsPerson": false
      },
      "admitted": {
        "tone": "run",
        "label": "admitted",
        "sentence": "fits its contract",
        "final": false,
        "needsPerson": false
      },
      "registered": {
        "tone": "ok",
        "label": "registered",
        "sentence": "became part of a dataset version",
        "final": true,
        "needsPerson": false
      },
      "replaced": {
        "tone": "rest",
        "label": "replaced",
        "sentence": "was overwritten: the rows of the file's newer version count",
        "final": true,
        "needsPerson": false
      },
      "duplicate": {
        "tone": "rest",
        "label": "duplicate",
        "sentence": "is a duplicate: its rows are known already",
        "final": true,
        "needsPerson": false
      },
      "withdrawn": {
        "tone": "rest",
        "label": "withdrawn",
        "sentence": "was withdrawn by a person: no dataset version to come has its rows",
        "final": true,
        "needsPerson": false
      },
      "rejected": {
        "tone": "bad",
        "label": "in quarantine",
        "sentence": "does not fit any contract",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "quarantine": {
    "plural": "quarantine",
    "states": {
      "held": {
        "tone": "bad",
        "label": "in quarantine",
        "sentence": "is held in quarantine",
        "final": true,
        "needsPerson": true
      },
      "retried": {
        "tone": "rest",
        "label": "checked again",
        "sentence": "is checked again",
        "final": true,
        "needsPerson": false
      },
      "replaced": {
        "tone": "rest",
        "label": "replaced",
        "sentence": "is replaced by a newer version of the file",
        "final": true,
        "needsPerson": false
      },
      "readmitted": {
        "tone": "ok",
        "label": "readmitted",
        "sentence": "is readmitted",
        "final": true,
        "needsPerson": false
      },
      "discarded": {
        "tone": "rest",
        "label": "discarded",
        "sentence": "was discarded",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "run": {
    "plural": "runs",
    "states": {
      "started": {
        "tone": "run",
        "label": "started",
        "sentence": "started",
        "final": false,
        "needsPerson": false
      },
      "running": {
        "tone": "run",
        "label": "running",
        "sentence": "is running",
        "final": false,
        "needsPerson": false
      },
      "completed": {
        "tone": "ok",
        "label": "completed",
        "sentence": "completed",
        "final": false,
        "needsPerson": false
      },
      "canceled": {
        "tone": "warn",
        "label": "canceled",
        "sentence": "was cancelled",
        "final": false,
        "needsPerson": false
      },
      "failed": {
        "tone": "bad",
        "label": "failed",
        "sentence": "failed",
        "final": true,
        "needsPerson": false
      },
      "accepted": {
        "tone": "ok",
        "label": "accepted",
        "sentence": "ended: its outcome is accepted",
        "final": true,
        "needsPerson": false
      },
      "refused": {
        "tone": "rest",
        "label": "refused",
        "sentence": "ended: its outcome is not accepted",
        "final": true,
        "needsPerson": false
      },
      "undecided": {
        "tone": "warn",
        "label": "undecided",
        "sentence": "ended: its outcome needs more rows or a person",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "dataset": {
    "plural": "datasets",
    "states": {
      "registered": {
        "tone": "ok",
        "label": "registered",
        "sentence": "is registered",
        "final": false,
        "needsPerson": false
      },
      "waiting": {
        "tone": "run",
        "label": "waiting",
        "sentence": "waits for its training run",
        "final": false,
        "needsPerson": false
      },
      "superseded": {
        "tone": "rest",
        "label": "superseded",
        "sentence": "was followed by a newer version, which has its rows, before a run began",
        "final": true,
        "needsPerson": false
      },
      "training": {
        "tone": "run",
        "label": "training",
        "sentence": "is being trained on",
        "final": false,
        "needsPerson": false
      },
      "trained": {
        "tone": "ok",
        "label": "trained",
        "sentence": "has been trained on",
        "final": true,
        "needsPerson": false
      },
      "doubted": {
        "tone": "warn",
        "label": "in doubt",
        "sentence": "has new rows that are not plausible: training leaves them out until a person decides",
        "final": true,
        "needsPerson": true
      },
      "settled": {
        "tone": "ok",
        "label": "doubt settled",
        "sentence": "had rows in doubt, about which a person has decided",
        "final": true,
        "needsPerson": false
      },
      "failed": {
        "tone": "bad",
        "label": "failed",
        "sentence": "could not be trained on",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "model": {
    "plural": "models",
    "states": {
      "accepted": {
        "tone": "ok",
        "label": "accepted",
        "sentence": "passed every guard: accepted",
        "final": false,
        "needsPerson": false
      },
      "refused": {
        "tone": "rest",
        "label": "refused",
        "sentence": "is refused by a guard",
        "final": true,
        "needsPerson": false
      },
      "undecided": {
        "tone": "warn",
        "label": "needs more rows",
        "sentence": "is undecided: more rows, or a person, must say",
        "final": true,
        "needsPerson": false
      },
      "releasing": {
        "tone": "run",
        "label": "releasing",
        "sentence": "is being put behind the endpoint",
        "final": false,
        "needsPerson": false
      },
      "awaiting-approval": {
        "tone": "warn",
        "label": "awaiting approval",
        "sentence": "waits for a person to approve its release",
        "final": false,
        "needsPerson": true
      },
      "canary": {
        "tone": "run",
        "label": "canary",
        "sentence": "is watched with a share of the traffic",
        "final": false,
        "needsPerson": false
      },
      "released": {
        "tone": "ok",
        "label": "in service",
        "sentence": "is in service",
        "final": true,
        "needsPerson": false
      },
      "previous": {
        "tone": "rest",
        "label": "was in service",
        "sentence": "made way for a newer one",
        "final": true,
        "needsPerson": false
      },
      "rolled-back": {
        "tone": "warn",
        "label": "rolled back",
        "sentence": "was rolled back",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "deployment": {
    "plural": "deployments",
    "states": {
      "creating": {
        "tone": "run",
        "label": "being made",
        "sentence": "is being made",
        "final": false,
        "needsPerson": false
      },
      "canary": {
        "tone": "run",
        "label": "canary",
        "sentence": "is watched with a share of the traffic",
        "final": false,
        "needsPerson": false
      },
      "serving": {
        "tone": "ok",
        "label": "serving",
        "sentence": "serves",
        "final": true,
        "needsPerson": false
      },
      "standby": {
        "tone": "rest",
        "label": "standby",
        "sentence": "stands by for the way back",
        "final": true,
        "needsPerson": false
      },
      "removed": {
        "tone": "rest",
        "label": "removed",
        "sentence": "was taken down",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "batch": {
    "plural": "batches",
    "states": {
      "due": {
        "tone": "run",
        "label": "waiting",
        "sentence": "waits to be scored",
        "final": false,
        "needsPerson": false
      },
      "held": {
        "tone": "bad",
        "label": "held",
        "sentence": "is held: it is implausibly far from what its model learned",
        "final": true,
        "needsPerson": true
      },
      "scoring": {
        "tone": "run",
        "label": "scoring",
        "sentence": "is being scored",
        "final": false,
        "needsPerson": false
      },
      "scored": {
        "tone": "ok",
        "label": "scored",
        "sentence": "is scored",
        "final": true,
        "needsPerson": false
      },
      "duplicate": {
        "tone": "rest",
        "label": "duplicate",
        "sentence": "is a duplicate: its clients are scored already",
        "final": true,
        "needsPerson": false
      },
      "replaced": {
        "tone": "rest",
        "label": "replaced",
        "sentence": "was held, and a newer version of the file is scored instead",
        "final": true,
        "needsPerson": false
      },
      "refused": {
        "tone": "bad",
        "label": "refused",
        "sentence": "cannot be scored",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "outcome": {
    "plural": "outcomes",
    "states": {
      "arrived": {
        "tone": "run",
        "label": "being read",
        "sentence": "arrived",
        "final": false,
        "needsPerson": false
      },
      "joined": {
        "tone": "ok",
        "label": "joined",
        "sentence": "is joined to the scores of its batch",
        "final": true,
        "needsPerson": false
      },
      "refused": {
        "tone": "bad",
        "label": "refused",
        "sentence": "cannot be joined to any scores",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "alert": {
    "plural": "alerts",
    "states": {
      "trying": {
        "tone": "run",
        "label": "trying",
        "sentence": "is a test message on its way",
        "final": false,
        "needsPerson": false
      },
      "raised": {
        "tone": "bad",
        "label": "raised",
        "sentence": "is open",
        "final": false,
        "needsPerson": false
      },
      "over": {
        "tone": "rest",
        "label": "over",
        "sentence": "is over",
        "final": true,
        "needsPerson": false
      },
      "failed": {
        "tone": "bad",
        "label": "failed",
        "sentence": "is a test message that a channel did not take",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "failure": {
    "plural": "failures",
    "states": {
      "dead-lettered": {
        "tone": "bad",
        "label": "dead-lettered",
        "sentence": "was dead-lettered: a person is needed",
        "final": true,
        "needsPerson": true
      },
      "retried": {
        "tone": "rest",
        "label": "tried again",
        "sentence": "is tried again",
        "final": true,
        "needsPerson": false
      },
      "resolved": {
        "tone": "ok",
        "label": "resolved",
        "sentence": "is resolved",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "operation": {
    "plural": "operations",
    "states": {
      "requested": {
        "tone": "rest",
        "label": "requested",
        "sentence": "was requested",
        "final": true,
        "needsPerson": false
      }
    }
  },
  "work": {
    "plural": "work",
    "states": {
      "paused": {
        "tone": "warn",
        "label": "paused",
        "sentence": "is paused",
        "final": true,
        "needsPerson": false
      },
      "resumed": {
        "tone": "rest",
        "label": "resumed",
        "sentence": "goes on",
        "final": true,
        "needsPerson": false
      }
    }
  }
};

/**
 * Words that are no states of a record: of a run's step, of a deployment's health, of an operation.
 * @satisfies {Record<string, Record<string, Page.StateMeaning>>}
 */
export const STATUSES = {
  "step": {
    "NotStarted": {
      "tone": "rest",
      "label": "not started",
      "sentence": "waits for the steps before it",
      "final": false,
      "needsPerson": false
    },
    "Queued": {
      "tone": "rest",
      "label": "queued",
      "sentence": "waits for a node",
      "final": false,
      "needsPerson": false
    },
    "Preparing": {
      "tone": "rest",
      "label": "preparing",
      "sentence": "has its environment prepared",
      "final": false,
      "needsPerson": false
    },
    "Provisioning": {
      "tone": "rest",
      "label": "provisioning",
      "sentence": "has a node provisioned",
      "final": false,
      "needsPerson": false
    },
    "Starting": {
      "tone": "rest",
      "label": "starting",
      "sentence": "is being started",
      "final": false,
      "needsPerson": false
    },
    "Running": {
      "tone": "run",
      "label": "running",
      "sentence": "is running",
      "final": false,
      "needsPerson": false
    },
    "Completed": {
      "tone": "ok",
      "label": "completed",
      "sentence": "completed",
      "final": true,
      "needsPerson": false
    },
    "Canceled": {
      "tone": "warn",
      "label": "canceled",
      "sentence": "was cancelled",
      "final": true,
      "needsPerson": false
    },
    "Failed": {
      "tone": "bad",
      "label": "failed",
      "sentence": "failed",
      "final": true,
      "needsPerson": false
    }
  },
  "health": {
    "pass": {
      "tone": "ok",
      "label": "pass",
      "sentence": "answers right, and in time",
      "final": false,
      "needsPerson": false
    },
    "warn": {
      "tone": "warn",
      "label": "warn",
      "sentence": "is slow, or was wrong lately",
      "final": false,
      "needsPerson": false
    },
    "fail": {
      "tone": "bad",
      "label": "fail",
      "sentence": "did not answer, or answered wrong",
      "final": false,
      "needsPerson": false
    }
  },
  "decision": {
    "promoted": {
      "tone": "ok",
      "label": "promoted",
      "sentence": "was asked to answer",
      "final": false,
      "needsPerson": false
    },
    "approved": {
      "tone": "ok",
      "label": "approved",
      "sentence": "may get traffic",
      "final": false,
      "needsPerson": false
    },
    "rejected": {
      "tone": "warn",
      "label": "rejected",
      "sentence": "gets no traffic",
      "final": false,
      "needsPerson": false
    },
    "rolled-back": {
      "tone": "warn",
      "label": "rolled back",
      "sentence": "is to get no more traffic",
      "final": false,
      "needsPerson": false
    },
    "undecided": {
      "tone": "warn",
      "label": "undecided",
      "sentence": "was decided on by nobody in time",
      "final": false,
      "needsPerson": false
    }
  },
  "progress": {
    "NotStarted": {
      "tone": "run",
      "label": "not started",
      "sentence": "is not begun yet",
      "final": false,
      "needsPerson": false
    },
    "Running": {
      "tone": "run",
      "label": "running",
      "sentence": "is under way",
      "final": false,
      "needsPerson": false
    },
    "Succeeded": {
      "tone": "ok",
      "label": "succeeded",
      "sentence": "is done",
      "final": true,
      "needsPerson": false
    },
    "Failed": {
      "tone": "bad",
      "label": "failed",
      "sentence": "could not be done",
      "final": true,
      "needsPerson": false
    }
  },
  "delivery": {
    "delivered": {
      "tone": "ok",
      "label": "delivered",
      "sentence": "took the message",
      "final": false,
      "needsPerson": false
    },
    "failed": {
      "tone": "bad",
      "label": "failed",
      "sentence": "did not take the message",
      "final": false,
      "needsPerson": false
    }
  }
};
