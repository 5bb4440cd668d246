"""What is found when a step is done once more."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jitcnn.replay.names import WeightName


@dataclass(frozen=True)
class Weight:
    """What a step did to one weight.

    Attributes
    ----------
    name : WeightName
        Parameter and index; as text `conv1/weights[0,0,0,3]`.
    by_image : float64 array (n,)
        What each image of the batch adds to the weight's gradient.
    gradient : float
        The batch's, which is their sum, of the mean of the losses.
    taken : float
        What the optimizer took: the same, unless `clip_norm` made the gradient shorter.
    before, after : float
        The weight.
    states : list of (float, float)
        What the optimizer keeps of the weight, such as its moments, before and after.
    """

    name: WeightName
    by_image: np.ndarray
    gradient: float
    taken: float
    before: float
    after: float
    states: list[tuple[float, float]]


@dataclass(frozen=True)
class Replay:
    """A step of training, as it was.

    Attributes
    ----------
    step, epoch : int
        Their numbers, from 1.
    images : int64 array (n,)
        The numbers of the batch's images in the data.
    labels : int64 array (n,), or None
        Their classes; None if they have none.
    x : array (n, rows, columns, channels), or (n, features)
        What the first layer took: augmented and normalized.
    masks : dict of str to bool array (n, …)
        By dropout layer: what was kept.
    predictions : int64 array (n,), or None
        Which classes the network, with dropout, took the images for.
    losses : array (n,)
        Each image's, with the weights from before the step.
    earlier : array (m,)
        The losses of the images that the epoch had before, in their order.
    lengths : float64 array (n,)
        The length (Euclidean norm) of what each image adds to the gradient of all parameters.
    gradient : dict of str to array
        The batch's, of the mean of the losses, by parameter; before it is clipped.
    clipping : float
        What `clip_norm` multiplied it by, 1 if nothing.
    optimizer : dict
        Its `name`, and its numbers in this step.
    before, after : dict of str to array
        All parameters before and after the update.
    weight : Weight or None
        What the step did to the weight that was asked for.
    """

    step: int
    epoch: int
    images: np.ndarray
    labels: np.ndarray | None
    x: np.ndarray
    masks: dict[str, np.ndarray]
    predictions: np.ndarray | None
    losses: np.ndarray
    earlier: np.ndarray
    lengths: np.ndarray
    gradient: dict[str, np.ndarray]
    clipping: float
    optimizer: dict[str, Any]
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    weight: Weight | None

    @property
    def loss(self) -> float:
        """The mean of the losses."""
        return float(self.losses.mean(dtype=np.float64))

    @property
    def length(self) -> float:
        """The length of the batch's gradient."""
        return float(np.sqrt(sum(np.square(array, dtype=np.float64).sum() for array in self.gradient.values())))

    @property
    def recent(self) -> np.ndarray:
        """The losses of the images right before, as many as four batches have at most."""
        return self.earlier[-4 * len(self.images) :]

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that is an array, by name, as an `.npz` holds it; parameters as `before/conv1/weights`."""
        kept = {"images": self.images, "x": self.x, "losses": self.losses, "earlier": self.earlier, "lengths": self.lengths}
        classes = {"labels": self.labels, "predictions": self.predictions}
        groups = {"masks": self.masks, "gradient": self.gradient, "before": self.before, "after": self.after}
        kept |= {name: array for name, array in classes.items() if array is not None}
        kept |= {f"{group}/{name}": array for group, named in groups.items() for name, array in named.items()}
        return kept if self.weight is None else {**kept, "why": self.weight.by_image}

    @property
    def worst(self) -> np.ndarray:
        """Places in the batch, that of the largest loss first; those whose loss is NaN before all others."""
        return np.argsort(-np.nan_to_num(self.losses.astype(np.float64), nan=np.inf), kind="stable")
