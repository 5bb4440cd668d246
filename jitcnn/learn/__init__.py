"""For those who learn: real mistakes and what they do, lessons with a check, a race of seven ways to compute the same, a look at the tile.

`jitcnn learn` shows them.
"""
