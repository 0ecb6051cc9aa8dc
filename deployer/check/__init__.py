"""`deployer check`: GoogleSQL's analyzer, and the rules of the house."""
