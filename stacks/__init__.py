"""The CDK stacks: one with state, one that renders."""
