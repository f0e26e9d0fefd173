"""The recorder: a person does his errand by hand, and out come a journey, the film strip of it and an honest page."""
