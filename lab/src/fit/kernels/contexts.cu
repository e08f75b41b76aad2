
// Contexts: windows of several times of coarse bands, and their moments.

// The contexts of stretches of `frames` frames, a row each: `taps` times of `bands` values, `stride` frames apart.
extern "C" __global__ void context_windows(const float *coarse, int stretches, int frames, int contexts, int taps,
                                           int stride, int bands, float *out) {
    EACH(i, stretches * contexts * taps * bands) {
        int band = i % bands, tap = i / bands % taps, row = i / (bands * taps);
        int frame = row / contexts * frames + row % contexts + tap * stride;
        out[i] = coarse[frame * bands + band];
    }
}

// The other way round: the gradient by coarse bands from that by contexts.
extern "C" __global__ void context_fold(const float *by_windows, int stretches, int frames, int contexts, int taps,
                                        int stride, int bands, float *out) {
    EACH(i, stretches * frames * bands) {
        int band = i % bands, frame = i / bands % frames, stretch = i / (bands * frames);
        float sum = 0.0f;
        for (int tap = 0; tap < taps; tap++) {
            int context = frame - tap * stride;
            if (context >= 0 && context < contexts) {
                sum += by_windows[((stretch * contexts + context) * taps + tap) * bands + band];
            }
        }
        out[i] = sum;
    }
}

// x = scale · (x + sign · row), row by row.
extern "C" __global__ void add_row(float *x, const float *row, float sign, float scale, int width, int count) {
    EACH(i, count) { x[i] = scale * (x[i] + sign * row[i % width]); }
}

// out = out + share · (scale · sums of columns − out). A block for 32 columns: its threads are 32 wide.
extern "C" __global__ void column_sums(const float *x, int rows, int width, float scale, float share, float *out) {
    __shared__ float room[1024];
    int lane = threadIdx.x % 32, column = blockIdx.x * 32 + lane;
    int first = threadIdx.x / 32, step = blockDim.x / 32;
    float sum = 0.0f;
    if (column < width) {
        for (int row = first; row < rows; row += step) {
            sum += x[(u64)row * width + column];
        }
    }
    room[threadIdx.x] = sum;
    for (int half = step / 2; half > 0; half /= 2) {
        __syncthreads();
        if (first < half) {
            room[threadIdx.x] += room[threadIdx.x + half * 32];
        }
    }
    if (first == 0 && column < width) {
        float value = scale * room[lane];
        out[column] = share == 1.0f ? value : out[column] + share * (value - out[column]);
    }
}

// What is remembered of the second moments (`share` of it new), and the gradient by the covariance.
extern "C" __global__ void context_moments(const float *products, float scale, float share, const float *first,
                                           const float *covariance, const float *precision, int components,
                                           float *second, float *out) {
    EACH(i, components * components) {
        float value = scale * products[i];
        value = share == 1.0f ? value : second[i] + share * (value - second[i]);
        second[i] = value;
        float off = value - first[i / components] * first[i % components];
        out[i] = (off - covariance[i]) * precision[i];
    }
}

// first − first · by_covariance.
extern "C" __global__ void context_constant(const float *first, const float *by_covariance, int components, float *out) {
    EACH(i, components) {
        float sum = 0.0f;
        for (int k = 0; k < components; k++) {
            sum += first[k] * by_covariance[k * components + i];
        }
        out[i] = first[i] - sum;
    }
}

// Of every set the sum of its families' parts of the loss, and behind them the loss. One block of more threads than sets.
extern "C" __global__ void set_sums(const float *values, int sets, int families, float *out) {
    __shared__ float room[1024];
    float sum = 0.0f;
    if ((int)threadIdx.x < sets) {
        for (int family = 0; family < families; family++) {
            sum += values[threadIdx.x * families + family];
        }
        out[threadIdx.x] = sum;
    }
    sum = of_block(sum, room, Add());
    if (threadIdx.x == 0) {
        out[sets] = sum;
    }
}

// Puts a new bank in its place: filters, terms and their weights, as they lie behind each other in what was sent.
extern "C" __global__ void put_bank(const float *sent, int filters, int terms, float *to_filters, u32 *to_terms,
                                    float *to_weights) {
    EACH(i, filters + 2 * terms) {
        if (i < filters) {
            to_filters[i] = sent[i];
        } else if (i < filters + terms) {
            to_terms[i - filters] = __float_as_uint(sent[i]);
        } else {
            to_weights[i - filters - terms] = sent[i];
        }
    }
}
