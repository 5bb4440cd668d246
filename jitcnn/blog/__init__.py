"""The classes and printed lines of the text this project grew from, on jitcnn's engine.

The text is "Convolutional Neural Networks From Scratch on Python" by q-viper (Ramkrishna Acharya, June 2020,
https://q-viper.github.io/2020/06/05/convolutional-neural-networks-from-scratch-on-python/). Its sessions run as written, with
`from jitcnn.blog import *` in place of its classes and `x, y, xt, yt = mnist()` in place of its keras and pandas lines:

    m = CNN()
    m.add(Conv2d(input_shape=(28, 28, 1), filters=8, padding=None, kernel_size=(3, 3), activation="relu"))
    m.add(Flatten())
    m.add(FFL(neurons=10, activation="softmax"))
    m.compile_model(lr=0.01, opt="adam", loss="cse", mr=0.001)
    m.summary()
    m.train(x[:1000], y[:1000], epochs=100, batch_size=32, val_x=xt[:100], val_y=yt[:100])

What differs from the text, on purpose:

- Gradients are those of calculus: relu's derivative is 1 where its input is above 0, activations come before convolutions on the way back,
  softmax has its full Jacobian, overlapping windows add up, an average is divided by its window, biases are summed over the batch.
- Losses are means, of a sample's cross-entropy or squared difference, not sums over all samples.
- Weights start from He's or Glorot's distribution, drawn from the model's own seed; NumPy's global generator is never touched.
- Dropout scales what it keeps in training, by 1 / (1 - prob), and does nothing in prediction; each number is dropped with probability prob.
- `lr` counts for every optimizer (the text's adam always used 0.001), `mr` is momentum's factor (the text's always used 0.9, which the
  default value of `mr` still stands for), and there is no hidden weight decay.
- A sigmoid output is right where it lies on its target's side of 0.5; the text counted outputs above 0.7, whatever the target was.
- The last, smaller batch is trained on too; the validation share keeps the classes' proportions.
- NaN is not replaced by 0: it can be seen.

Layers alone compute in float64, a model in float32.
"""

from jitcnn.blog.digits import mnist
from jitcnn.blog.layers import FFL, Conv2d, Dropout, Flatten, Pool2d, Upsample
from jitcnn.blog.loading import load_model
from jitcnn.blog.network import CNN
from jitcnn.blog.saving import save_model

__all__ = ["CNN", "FFL", "Conv2d", "Dropout", "Flatten", "Pool2d", "Upsample", "load_model", "mnist", "save_model"]
