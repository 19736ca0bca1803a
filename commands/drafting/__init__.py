"""A draft of a data contract, made of a file that nobody has described yet."""
