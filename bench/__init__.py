"""Measurements: jitcnn beside PyTorch, alternating in one run. ``make bench`` runs all of them; bench/README.md says how."""
