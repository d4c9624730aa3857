"""The CDK stacks: what holds state, and what renders."""
