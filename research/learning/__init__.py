"""Training and judging learned exits: entries and their labels, environments, trainers, comparisons."""
