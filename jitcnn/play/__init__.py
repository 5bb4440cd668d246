"""`jitcnn play`: a page, served to this machine only, on which a model is drawn for, looked into number by number, and trained."""
