"""One folder for all who play: each takes a step and answers with a finding."""
