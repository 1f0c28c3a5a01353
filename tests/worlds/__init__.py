"""Random deployments that know what was really read in them, and the plans that are made of what is left of it."""
