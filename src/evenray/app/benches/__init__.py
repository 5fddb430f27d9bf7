"""What the benches of the workbench calculate: pure functions that pages/ answers with."""
