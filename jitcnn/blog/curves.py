"""The text's curves."""

from typing import Any


def show_curves(network: Any) -> None:
    """Show loss and accuracy by epoch; raises an ImportError without matplotlib."""
    from matplotlib import pyplot as plt

    for name, unit, training, validation in (
        ("Loss", network.loss, network.train_loss, network.val_loss),
        ("Accuracy", "%", network.train_acc, network.val_acc),
    ):
        plt.figure(figsize=(10, 10))
        plt.plot(list(training), list(training.values()), "g-", label=f"Train {name}")
        plt.plot(list(validation), list(validation.values()), "r-", label=f"Val {name}")
        plt.xlabel("Epochs")
        plt.ylabel(f"{name} ({unit})")
        plt.title(f"{name} vs Epoch")
        plt.legend()
        plt.grid(True)
        plt.show()
