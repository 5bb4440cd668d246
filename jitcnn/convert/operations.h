/* The passes as `jitcnn convert` writes them into a C header: NAME becomes the model's name, and only what is needed is written.
   Images are rows, columns, channels; h, w, c are the sizes of the input, oh, ow, oc those of the output. */

#include <math.h>

/* An image minus its mean, over its standard deviation; an image of one colour becomes zeros. */
static void NAME_standardize(const float *x, int n, float *y)
{
    double mean = 0, squares = 0;
    for (int i = 0; i < n; i++)
        mean += (double)x[i] - x[0];
    mean = x[0] + mean / n;
    for (int i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    const double deviation = squares == 0 ? 1 : sqrt(squares / n);
    for (int i = 0; i < n; i++)
        y[i] = (float)((x[i] - mean) / deviation);
}

/* Each channel minus its mean, over its standard deviation, of the training images. */
static void NAME_standardize_channels(const float *x, int n, int c, const double *mean, const double *deviation, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = (float)((x[i] - mean[i % c]) / deviation[i % c]);
}

/* An image with copies of its border pixels around it. */
static void NAME_pad_edge(const float *x, int h, int w, int c, int top, int left, int oh, int ow, float *y)
{
    for (int i = 0; i < oh; i++)
        for (int j = 0; j < ow; j++) {
            const int u = i < top ? 0 : i - top < h ? i - top : h - 1, v = j < left ? 0 : j - left < w ? j - left : w - 1;
            for (int k = 0; k < c; k++)
                y[(i * ow + j) * c + k] = x[(u * w + v) * c + k];
        }
}

/* Weights are kh x kw x c x oc; what the window sees outside of the image is 0. */
static void NAME_conv2d(const float *x, int h, int w, int c, const float *weights, const float *bias, int kh, int kw, int sh, int sw,
                        int top, int left, int oh, int ow, int oc, float *y)
{
    for (int i = 0; i < oh; i++)
        for (int j = 0; j < ow; j++, y += oc) {
            for (int k = 0; k < oc; k++)
                y[k] = bias ? bias[k] : 0;
            for (int p = 0; p < kh; p++)
                for (int q = 0; q < kw; q++) {
                    const int u = i * sh + p - top, v = j * sw + q - left;
                    if (u < 0 || u >= h || v < 0 || v >= w)
                        continue;
                    for (int l = 0; l < c; l++)
                        for (int k = 0; k < oc; k++)
                            y[k] += x[(u * w + v) * c + l] * weights[((p * kw + q) * c + l) * oc + k];
                }
        }
}

/* Kind 0: the largest pixel of a window, 1: the smallest, 2: the average; all of the pixels that are in the image. */
static void NAME_pool2d(const float *x, int h, int w, int c, int kind, int kh, int kw, int sh, int sw, int top, int left, int oh, int ow,
                        float *y)
{
    for (int i = 0; i < oh; i++)
        for (int j = 0; j < ow; j++)
            for (int k = 0; k < c; k++) {
                float value = 0;
                int count = 0;
                for (int p = 0; p < kh; p++)
                    for (int q = 0; q < kw; q++) {
                        const int u = i * sh + p - top, v = j * sw + q - left;
                        if (u < 0 || u >= h || v < 0 || v >= w)
                            continue;
                        const float pixel = x[(u * w + v) * c + k];
                        if (kind == 2)
                            value += pixel;
                        else if (count == 0 || (kind == 0 ? pixel > value : pixel < value))
                            value = pixel;
                        count++;
                    }
                *y++ = kind == 2 ? value / count : value;
            }
}

/* Every pixel fh x fw times. */
static void NAME_upsample2d(const float *x, int h, int w, int c, int fh, int fw, float *y)
{
    for (int i = 0; i < h * fh; i++)
        for (int j = 0; j < w * fw; j++)
            for (int k = 0; k < c; k++)
                *y++ = x[(i / fh * w + j / fw) * c + k];
}

/* Weights are on x n. */
static void NAME_dense(const float *x, int n, const float *weights, const float *bias, int on, float *y)
{
    for (int k = 0; k < on; k++) {
        double sum = bias ? bias[k] : 0;
        for (int i = 0; i < n; i++)
            sum += (double)x[i] * *weights++;
        y[k] = (float)sum;
    }
}

static void NAME_relu(const float *x, int n, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

static void NAME_sigmoid(const float *x, int n, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = 1 / (1 + expf(-x[i]));
}

static void NAME_tanh(const float *x, int n, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}

/* Over each group of c numbers. */
static void NAME_softmax(const float *x, int n, int c, float *y)
{
    for (; n > 0; n -= c, x += c, y += c) {
        float largest = x[0], sum = 0;
        for (int k = 1; k < c; k++)
            largest = x[k] > largest ? x[k] : largest;
        for (int k = 0; k < c; k++)
            sum += y[k] = expf(x[k] - largest);
        for (int k = 0; k < c; k++)
            y[k] /= sum;
    }
}
