"""The files that `jitcnn learn lesson N` writes, as they are: one pass is missing in each."""
