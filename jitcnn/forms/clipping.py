"""Public form of a limit to the length of a gradient."""

import numpy as np

from jitcnn.checks import amount
from jitcnn.forms.arrays import Array, ArrayLike, floating, output
from jitcnn.forms.binding import Call


def clip_norm(call: Call, g: ArrayLike, max_norm: float, *, out: ArrayLike | None = None) -> Array:
    """A gradient made shorter where it is longer than a limit: ``g * min(1, max_norm / (norm + 1e-6))``, norm = sqrt(sum(g**2)).

    As PyTorch's ``clip_grad_norm_`` on one tensor; for the norm over several, give them as one flat array. A norm that is NaN makes
    all numbers NaN.

    Parameters
    ----------
    g : array of any shape
        float32 or float64.
    max_norm : float
        The largest norm, at least 0.
    out : array like `g`, optional
        May be `g` itself.

    Returns
    -------
    array like `g`

    Raises
    ------
    ValueError
        If shape, dtype or `max_norm` are none of the above, or `out` does not fit.

    Examples
    --------
    >>> from jitcnn.kernels import clip_norm
    >>> clip_norm([3.0, 4.0, 12.0], 6.5).round(4).tolist()
    [1.5, 2.0, 6.0]
    """
    g = floating("g", g)
    limit = np.array([amount("max_norm", max_norm)])
    y = output(out, g.shape, g.dtype, g, instead_of=g)
    call("clip_norm", g.reshape(-1), limit, y.reshape(-1))
    return y
