"""Public forms of padding."""

from jitcnn.forms.arrays import IMAGES, Array, ArrayLike, floating, output
from jitcnn.forms.binding import Call
from jitcnn.forms.codes import PADDINGS
from jitcnn.forms.geometry import Padding, choice, sides


def pad2d(call: Call, x: ArrayLike, padding: Padding, mode: str = "zero", *, out: ArrayLike | None = None) -> Array:
    """Images with a border around them.

    Parameters
    ----------
    x : array (images, rows, columns, channels)
        float32 or float64.
    padding : int, (rows, columns) or ((top, bottom), (left, right))
        How many pixels to add.
    mode : "zero" or "edge"
        What is in them: 0, or the nearest pixel of the image.
    out : array (images, top + rows + bottom, left + columns + right, channels), optional

    Returns
    -------
    array (images, top + rows + bottom, left + columns + right, channels)

    Raises
    ------
    ValueError
        If shapes, dtypes or settings are none of the above, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import pad2d
    >>> pad2d(np.ones((1, 1, 1, 1)), ((0, 1), (1, 0)))[0, :, :, 0].tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    x = floating("x", x, IMAGES)
    (top, bottom), (left, right) = sides(padding)
    code = PADDINGS[choice("mode", mode, PADDINGS)]
    images, rows, columns, channels = x.shape
    y = output(out, (images, top + rows + bottom, left + columns + right, channels), x.dtype, x)
    call("pad2d", x, y, top, left, code)
    return y


def pad2d_grad_input(call: Call, grad_y: ArrayLike, padding: Padding, mode: str = "zero", *, out: ArrayLike | None = None) -> Array:
    """Gradient of a loss with respect to the input of `pad2d`.

    With "zero" the border's gradient is dropped; with "edge" it is added to the pixel that was copied there.

    Parameters
    ----------
    grad_y : array (images, top + rows + bottom, left + columns + right, channels)
        float32 or float64.
    padding, mode
        As given to `pad2d`.
    out : array (images, rows, columns, channels), optional

    Returns
    -------
    array (images, rows, columns, channels)

    Raises
    ------
    ValueError
        If shapes, dtypes or settings are none of the above, no pixel is left inside the padding, or `out` does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from jitcnn.kernels import pad2d_grad_input
    >>> pad2d_grad_input(np.ones((1, 3, 3, 1)), 1, "edge").tolist()
    [[[[9.0]]]]
    """
    grad_y = floating("grad_y", grad_y, IMAGES)
    (top, bottom), (left, right) = sides(padding)
    code = PADDINGS[choice("mode", mode, PADDINGS)]
    images, padded_rows, padded_columns, channels = grad_y.shape
    rows, columns = padded_rows - top - bottom, padded_columns - left - right
    if rows < 1 or columns < 1:
        raise ValueError(f"grad_y is {grad_y.shape}, which padding {padding} leaves without a pixel: give the padding that pad2d was given")
    grad_x = output(out, (images, rows, columns, channels), grad_y.dtype, grad_y)
    call("pad2d_grad_input", grad_y, grad_x, top, left, code)
    return grad_x
