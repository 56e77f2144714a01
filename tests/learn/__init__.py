"""Learned exits are held to account: labels, environments, and the proof that learners learn, and only then."""
