"""The state of this installation, and who may do what in it."""
