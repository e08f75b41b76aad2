// Taps of a convolution along time.
#define TAPS 3

// What a scale's first convolution sees, as windows: fresh values, the coarser scale's columns twice each, and what a
// period adds.
extern "C" __global__ void join_windows(const float *values, const float *coarser, const float *period, int values_width,
                                        int coarser_width, int period_width, int skip, int windows, float *out) {
    int width = values_width + coarser_width + period_width;
    EACH(i, windows * TAPS * width) {
        int channel = i % width, row = i / (TAPS * width) + i / width % TAPS;
        float value;
        if (channel < values_width) {
            value = values[row * values_width + channel];
        } else if (channel < values_width + coarser_width) {
            value = coarser[(skip + row) / 2 * coarser_width + channel - values_width];
        } else {
            value = period[row * period_width + channel - values_width - coarser_width];
        }
        out[i] = value;
    }
}

__device__ float leaky(float x, float leak) { return fmaxf(x, leak * x); }

// y = leaky(z + bias), and its windows.
extern "C" __global__ void rectify_windows(const float *z, const float *bias, float leak, int rows, int width, float *y,
                                           float *windows) {
    EACH(i, rows * width) {
        int row = i / width, channel = i % width;
        float value = leaky(z[i] + bias[channel], leak);
        y[i] = value;
        for (int tap = 0; tap < TAPS; tap++) {
            int window = row - tap;
            if (window >= 0 && window < rows - (TAPS - 1)) {
                windows[(window * TAPS + tap) * width + channel] = value;
            }
        }
    }
}

// y = leaky(z + bias).
extern "C" __global__ void rectify(const float *z, const float *bias, float leak, int rows, int width, float *y) {
    EACH(i, rows * width) { y[i] = leaky(z[i] + bias[i % width], leak); }
}

// second = leaky(z + bias), and gain · (first without its first and last row + second).
extern "C" __global__ void residual(const float *z, const float *bias, const float *first, float leak, float gain,
                                    int rows, int width, float *second, float *sum) {
    EACH(i, rows * width) {
        float value = leaky(z[i] + bias[i % width], leak);
        second[i] = value;
        sum[i] = gain * (first[i + width] + value);
    }
}

// ln(1 + exp(x)), and its derivative.
__device__ float softplus(float x, float *slope) {
    float small = expf(-fabsf(x));
    *slope = (x < 0.0f ? small : 1.0f) / (1.0f + small);
    return fmaxf(x, 0.0f) + log1pf(small);
}

// Features of the linear output z + bias, softly kept within their range, and the slopes there.
extern "C" __global__ void limits(const float *z, const float *bias, const float *mean, const float *deviation,
                                  const float *low, const float *high, float sharpness, int rows, int width,
                                  float *features, float *slopes) {
    EACH(i, rows * width) {
        int c = i % width;
        float linear = mean[c] + deviation[c] * (z[i] + bias[c]);
        float high_slope, low_slope;
        float y = high[c] - softplus((high[c] - linear) * sharpness, &high_slope) / sharpness;
        features[i] = low[c] + softplus((y - low[c]) * sharpness, &low_slope) / sharpness;
        slopes[i] = low_slope * high_slope * deviation[c];
    }
}

// The gradient by what came into a leaky rectifier, from `gain` times that by its result y.
extern "C" __global__ void rectifier_backward(const float *y, const float *dy, float leak, float gain, int count,
                                              float *out) {
    EACH(i, count) { out[i] = gain * dy[i] * (y[i] > 0.0f ? 1.0f : leak); }
}

// The gradient by a row of what windows see.
__device__ float folded(const float *by_windows, int windows, int width, int row, int channel) {
    float sum = 0.0f;
    for (int tap = 0; tap < TAPS; tap++) {
        int window = row - tap;
        if (window >= 0 && window < windows) {
            sum += by_windows[(window * TAPS + tap) * width + channel];
        }
    }
    return sum;
}

// The gradient by what came into a scale's first rectifier: from that by the second convolution's windows, and from
// that by the residual sum.
extern "C" __global__ void first_backward(const float *by_windows, const float *by_sum, const float *first, float leak,
                                          float gain, int windows, int width, float *out) {
    EACH(i, (windows + TAPS - 1) * width) {
        int row = i / width, channel = i % width;
        float sum = folded(by_windows, windows, width, row, channel);
        // A window and a row of the sum have the same middle.
        if (row >= 1 && row <= windows) {
            sum += gain * by_sum[i - width];
        }
        out[i] = sum * (first[i] > 0.0f ? 1.0f : leak);
    }
}

// From the gradient by the windows of a first convolution (of the channels that depend on weights alone: the coarser
// scale's, then the period's) to that by the coarser scale's columns, and by the period's values.
extern "C" __global__ void join_backward(const float *by_windows, int windows, int coarser_width, int period_width,
                                         int skip, int coarser_rows, float *by_coarser, float *by_period) {
    int width = coarser_width + period_width, rows = windows + TAPS - 1;
    int coarser = coarser_rows * coarser_width;
    EACH(i, coarser + rows * period_width) {
        if (i < coarser) {
            int channel = i % coarser_width;
            float sum = 0.0f;
            for (int row = 2 * (i / coarser_width) - skip, end = row + 2; row < end; row++) {
                if (row >= 0 && row < rows) {
                    sum += folded(by_windows, windows, width, row, channel);
                }
            }
            by_coarser[i] = sum;
        } else {
            int at = i - coarser;
            by_period[at] = folded(by_windows, windows, width, at / period_width, coarser_width + at % period_width);
        }
    }
}

