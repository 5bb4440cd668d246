"""Processes of other libraries. Each runs in an environment of its own, and shares with jitcnn only how time is taken."""
