"""The runtime install has no pandas, so no process of the tests finds the one that a benchmark's data brings along."""

raise ImportError("pandas is no requirement of the runtime")
