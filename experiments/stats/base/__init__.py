"""What the statistics share: the result vocabulary, samples with an exact pivot, discovery, the runner."""
