"""Real input and measurements: nothing here is part of what a pod runs."""
