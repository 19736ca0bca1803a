"""The batch scoring pipeline: retrieve, prepare, predict, publish, a step each; a mini-batch for each shard."""
