"""`python -m jitcnn` is the command `jitcnn`."""

from jitcnn_cli.main import main

if __name__ == "__main__":
    main(prog_name="jitcnn")
