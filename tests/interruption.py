"""What ends training: a callback, as Ctrl-C does, or whatever happens once a step is saved."""

from contextlib import contextmanager

from jitcnn.runs import checkpointing


class Stop(Exception):
    """What a training ends with."""


def stop():
    raise Stop


@contextmanager
def once_saved(monkeypatch, steps, action=stop):
    """Within this, action() is called as soon as so many steps are in the checkpoint."""
    write = checkpointing.write_checkpoint

    def act(path, saved):
        write(path, saved)
        if saved.state["steps"] == steps:
            action()

    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "write_checkpoint", act)
        yield


class Interrupt:
    """Raises KeyboardInterrupt where an epoch begins, numbered from 0; None for never, in the call that goes on."""

    def __init__(self, epoch=None):
        self.epoch = epoch

    def on_epoch_begin(self, model, epoch):
        if epoch == self.epoch:
            raise KeyboardInterrupt
