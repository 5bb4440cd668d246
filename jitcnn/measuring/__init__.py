"""How fast this machine computes: layers alone and networks in training, in figures that can be compared with the processor's peak.

`jitcnn bench` prints them. The project's measurements beside other libraries (its folder bench/) are made of the same parts: a suite asks
programs, which take turns; one of them is jitcnn (`jitcnn.measuring.ours`).
"""
