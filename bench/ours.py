"""jitcnn's process: it answers what the suites ask of `jitcnn.measuring.ours`."""

from bench.protocol import serve
from jitcnn.measuring.ours import REQUESTS

if __name__ == "__main__":
    serve(REQUESTS)
