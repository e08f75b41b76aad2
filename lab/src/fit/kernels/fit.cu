// What the fit's trainer on tensors does in one go on CUDA: what would be dozens of the library's operations, each of
// which takes as long to start as to run. The same sums as in the Rust files that start these; what is gathered here
// is never added to from two threads, so that every run gives the same bits.

typedef unsigned int u32;
typedef unsigned long long u64;

// Finest difference of a key: 14 bits, as on the processor.
#define LEVELS 16383.0f
// Terms of a projection, and filters of a family.
#define TERMS 4
#define FAMILY 4
// Numbers that describe a set: its pooling as a power of two, its reach, the capture's stretches, where their sorted
// projections begin, the step's stretches, and where their projections begin.
#define SET_NUMBERS 6

#define EACH(i, count) for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (count); i += gridDim.x * blockDim.x)

// Sum, least and most of all threads' values; every thread gets them.
template <typename T, typename F> __device__ T of_block(T value, T *room, F join) {
    __syncthreads();
    room[threadIdx.x] = value;
    for (u32 half = blockDim.x / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) {
            room[threadIdx.x] = join(room[threadIdx.x], room[threadIdx.x + half]);
        }
    }
    __syncthreads();
    T result = room[0];
    __syncthreads();
    return result;
}

struct Add {
    template <typename T> __device__ T operator()(T a, T b) const { return a + b; }
};
struct Least {
    __device__ float operator()(float a, float b) const { return a < b ? a : b; }
};
struct Most {
    __device__ float operator()(float a, float b) const { return a > b ? a : b; }
};

// Sorts `padded` keys, a power of two.
__device__ void sort(u32 *keys, int padded) {
    for (int size = 2; size <= padded; size *= 2) {
        for (int stride = size / 2; stride > 0; stride /= 2) {
            __syncthreads();
            for (int i = threadIdx.x; i < padded / 2; i += blockDim.x) {
                int low = 2 * i - (i & (stride - 1));
                int high = low + stride;
                u32 a = keys[low], b = keys[high];
                if ((a > b) == ((low & size) == 0)) {
                    keys[low] = b;
                    keys[high] = a;
                }
            }
        }
    }
    __syncthreads();
}

// Keys of `count` values, at most 65,536, in ascending order; the low half of a key is the value's place.
__device__ void sorted_keys(const float *x, int count, u32 *keys, int padded, float *room) {
    float low = x[0], high = x[0];
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    low = of_block(low, room, Least());
    high = of_block(high, room, Most());
    float scale = high > low ? LEVELS / (high - low) : 0.0f;
    for (int i = threadIdx.x; i < padded; i += blockDim.x) {
        keys[i] = i < count ? (u32)__fmul_rn(x[i] - low, scale) << 16 | (u32)i : 0xFFFFFFFFu;
    }
    sort(keys, padded);
}

// The order of every row of `x`, or the ranks in it.
extern "C" __global__ void order(const float *x, u32 *out, int columns, int padded, int wants_ranks) {
    extern __shared__ u32 keys[];
    __shared__ float room[1024];
    const float *row = x + (u64)blockIdx.x * columns;
    u32 *result = out + (u64)blockIdx.x * columns;
    sorted_keys(row, columns, keys, padded, room);
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
        u32 place = keys[i] & 0xFFFF;
        if (wants_ranks) {
            result[place] = i;
        } else {
            result[i] = place;
        }
    }
}

// Sums of rows by number; the number past the last row is none.
extern "C" __global__ void gather(const float *x, const u32 *places, float *out, int stacks, int from, int rows,
                                  int most, int width) {
    EACH(i, stacks * rows * width) {
        int column = i % width, row = i / width % rows;
        const float *stack = x + (u64)(i / width / rows) * from * width;
        float sum = 0.0f;
        for (int k = 0; k < most; k++) {
            u32 place = places[row * most + k];
            if (place < (u32)from) {
                sum += stack[(u64)place * width + column];
            }
        }
        out[i] = sum;
    }
}

// One value of a projection of stretch `i`: terms of a family's runs of `frames` frames, averaged over 2^pool frames.
__device__ float project(const float *outputs, int frames, const u32 *terms, const float *weights, int pool, int i) {
    float sum = 0.0f;
    for (int k = 0; k < TERMS; k++) {
        float weight = weights[k];
        if (weight == 0.0f) {
            continue;
        }
        u32 term = terms[k];
        const float *run = outputs + (u64)(term & 0xFF) * frames + ((u64)(i + (term >> 8)) << pool);
        float mean = run[0];
        for (int j = 1; j < 1 << pool; j++) {
            mean += run[j];
        }
        sum += weight * (mean / (float)(1 << pool));
    }
    return sum;
}

// What the capture answers to the projections of some families from `first` on: sorted, and one over their variance. A
// block for each set and family.
extern "C" __global__ void answer(const float *outputs, int frames, const u32 *terms, const float *weights,
                                  const int *sets, int set_count, int first, int families, int padded,
                                  float variance_floor, float *projected, float *sorted, float *precision) {
    extern __shared__ u32 keys[];
    __shared__ float room[1024];
    __shared__ double wide_room[1024];
    int own = blockIdx.x, set = blockIdx.y;
    const int *numbers = sets + set * SET_NUMBERS;
    int pool = numbers[0], count = numbers[2];
    // The first row of a set is that of the first family of all.
    float *values = projected + ((u64)set * gridDim.x + own) * frames;
    int at = ((first + own) * set_count + set) * TERMS;
    double sum = 0.0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        float value = project(outputs + (u64)own * FAMILY * frames, frames, terms + at, weights + at, pool, i);
        values[i] = value;
        sum += value;
    }
    double mean = of_block(sum, wide_room, Add()) / count;
    double square = 0.0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        double off = values[i] - mean;
        square += off * off;
    }
    double variance = of_block(square, wide_room, Add()) / count;
    sorted_keys(values, count, keys, padded, room);
    float *out = sorted + numbers[3] + (u64)(first + own) * count;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        out[i] = values[keys[i] & 0xFFFF];
    }
    if (threadIdx.x == 0) {
        precision[set * families + first + own] = 1.0f / ((float)variance + variance_floor);
    }
}

// The distance of a step's projections from the capture's, and its gradient by the projections. A block for each set
// and family.
extern "C" __global__ void compare(const float *outputs, int frames, const u32 *terms, const float *weights,
                                   const int *sets, const float *set_weights, int set_count, int padded,
                                   const float *sorted, const float *precision, float *projected, float *values) {
    extern __shared__ u32 keys[];
    __shared__ float room[1024];
    int family = blockIdx.x, set = blockIdx.y, families = gridDim.x;
    const int *numbers = sets + set * SET_NUMBERS;
    int pool = numbers[0], capture = numbers[2], count = numbers[4];
    float *own = projected + numbers[5] + (u64)family * count;
    int at = (family * set_count + set) * TERMS;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        own[i] = project(outputs + (u64)family * FAMILY * frames, frames, terms + at, weights + at, pool, i);
    }
    __syncthreads();
    sorted_keys(own, count, keys, padded, room);
    const float *quantiles = sorted + numbers[3] + (u64)family * capture;
    float scale = set_weights[set] * precision[set * families + family] / (float)(families * count);
    u64 per_half_rank = ((u64)capture << 32) / (u64)count + 1;
    float square = 0.0f;
    for (int rank = threadIdx.x; rank < count; rank += blockDim.x) {
        u32 place = keys[rank] & 0xFFFF;
        float off = own[place] - quantiles[((2 * (u64)rank + 1) * per_half_rank) >> 33];
        square += off * off;
        own[place] = off * (2.0f * scale);
    }
    square = of_block(square, room, Add());
    if (threadIdx.x == 0) {
        values[set * families + family] = square * scale;
    }
}

// From the gradient by projections to that by the filters' outputs: a run of frames for each filter.
extern "C" __global__ void compare_backward(const float *projected, int frames, const u32 *terms,
                                            const float *weights, const int *sets, int set_count, float *out) {
    int frame = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
    if (frame >= frames) {
        return;
    }
    int family = row / FAMILY;
    u32 filter = row % FAMILY;
    float sum = 0.0f;
    for (int set = 0; set < set_count; set++) {
        const int *numbers = sets + set * SET_NUMBERS;
        int pool = numbers[0], count = numbers[4];
        int pooled = frame >> pool;
        // The last frames may be too few for a pooled one.
        if (pooled >= frames >> pool) {
            continue;
        }
        const float *own = projected + numbers[5] + (u64)family * count;
        int at = (family * set_count + set) * TERMS;
        float part = 0.0f;
        for (int k = 0; k < TERMS; k++) {
            u32 term = terms[at + k];
            int i = pooled - (int)(term >> 8);
            if ((term & 0xFF) == filter && i >= 0 && i < count) {
                part += weights[at + k] * own[i];
            }
        }
        sum += part / (float)(1 << pool);
    }
    out[(u64)row * frames + frame] = sum;
}

// The noise's mixing function (Wellons' lowbias32), and its numbers by seed, stream, frame and channel.
__device__ u32 mix(u32 x) {
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

__device__ u32 frame_key(u32 seed, u32 stream, long long frame) {
    u32 key = mix(mix(seed) ^ stream);
    return mix(mix(key ^ (u32)frame) + (u32)(frame >> 32));
}

__device__ u32 channel_bits(u32 key, u32 channel) { return mix(key ^ channel * 0x9E3779B9u); }

__device__ float unit(u32 bits) { return ((float)(bits >> 8) + 0.5f) * (1.0f / 16777216.0f); }

__device__ double wide_unit(u32 bits) { return ((double)(bits >> 8) + 0.5) / 16777216.0; }

__device__ float gaussian(u32 bits) {
    float radius = sqrtf(fmaxf(-2.0f * logf(unit(bits)), 0.0f));
    return radius * cospif(2.0f * unit(mix(bits ^ 0xA511E9B3u)));
}

// Numbers that describe a time scale: its first column, how many it has, and frames of a column.
#define SCALE_NUMBERS 3

// Which scale column `at` of all scales is in; `at` becomes its place there.
__device__ int scale_of(const u32 *scales, int *at) {
    int scale = 0;
    while (*at >= (int)scales[1]) {
        *at -= scales[1];
        scales += SCALE_NUMBERS;
        scale++;
    }
    return scale;
}

// Gaussian noise and sparse events of all scales, side by side.
extern "C" __global__ void noise(const u32 *scales, const double *rates, u32 seed, u32 gaussian_stream, u32 spike_stream,
                                 u32 size_stream, int gaussians, int spikes, int columns, float *out) {
    int width = gaussians + spikes;
    EACH(i, columns * width) {
        int at = i / width, channel = i % width;
        int scale = scale_of(scales, &at);
        long long column = (long long)(int)scales[scale * SCALE_NUMBERS] + at;
        if (channel < gaussians) {
            out[i] = gaussian(channel_bits(frame_key(seed, gaussian_stream + scale, column), channel));
            continue;
        }
        channel -= gaussians;
        double rate = rates[scale * spikes + channel];
        float value = 0.0f;
        if (wide_unit(channel_bits(frame_key(seed, spike_stream + scale, column), channel)) < rate) {
            double size = wide_unit(channel_bits(frame_key(seed, size_stream + scale, column), channel));
            value = (float)((1.0 - log(size)) / sqrt(5.0 * rate));
        }
        out[i] = value;
    }
}

// The phase of a period at an absolute frame, in periods.
__device__ double phase_at(u32 seed, u32 phase_stream, u32 jitter_stream, double period, double jitter, long long frame) {
    double knots = (double)frame / (2.0 * period);
    double knot = floor(knots), x = knots - knot;
    double smooth = x * x * (3.0 - 2.0 * x);
    double before = gaussian(channel_bits(frame_key(seed, jitter_stream, (long long)knot), 0)) * jitter;
    double after = gaussian(channel_bits(frame_key(seed, jitter_stream, (long long)knot + 1), 0)) * jitter;
    double offset = wide_unit(channel_bits(frame_key(seed, phase_stream, 0), 0));
    return (double)frame / period + offset + before * (1.0 - smooth) + after * smooth;
}

// What the columns `first..` of all scales see of a period: `width` numbers of each, harmonics where `entries` is 0, or
// the weights of a table's entries. `law` is the period and the deviation of its jitter.
extern "C" __global__ void period(const u32 *scales, const double *law, u32 seed, u32 phase_stream, u32 jitter_stream,
                                  int first, int columns, int width, int entries, float *out) {
    EACH(i, columns * width) {
        int at = first + i / width, channel = i % width;
        int scale = scale_of(scales, &at);
        const u32 *numbers = scales + scale * SCALE_NUMBERS;
        long long frames = numbers[2];
        long long frame = ((long long)(int)numbers[0] + at) * frames + frames / 2;
        double phase = phase_at(seed, phase_stream, jitter_stream, law[0], law[1], frame);
        if (entries == 0) {
            double turn = 2.0 * (channel / 2 + 1) * phase;
            out[i] = (float)(channel % 2 == 0 ? sinpi(turn) : cospi(turn));
        } else {
            double turn = (phase - floor(phase)) * entries;
            double gap = fabs(turn - channel);
            out[i] = (float)fmax(1.0 - fmin(gap, entries - gap), 0.0);
        }
    }
}

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

// Adam's move of weights along their gradient.
extern "C" __global__ void adam(float *weights, const float *gradient, float *first, float *second, float beta_1,
                                float beta_2, float epsilon, float first_scale, float second_scale, float rate,
                                int count) {
    EACH(i, count) {
        float g = gradient[i];
        float m = first[i] = beta_1 * first[i] + (1.0f - beta_1) * g;
        float v = second[i] = beta_2 * second[i] + (1.0f - beta_2) * g * g;
        weights[i] -= rate * m * first_scale / (sqrtf(v * second_scale) + epsilon);
    }
}

// The momentum with this gradient, and a step ahead.
extern "C" __global__ void momentum(const float *gradient, float *known, float decay, int count, float *ahead) {
    EACH(i, count) {
        float part = (1.0f - decay) * gradient[i];
        float m = known[i] = decay * known[i] + part;
        ahead[i] = decay * m + part;
    }
}

// Sums of squares of matrices of `count` values; a block for each.
extern "C" __global__ void energy(const float *x, int count, float *out) {
    __shared__ float room[1024];
    const float *own = x + (u64)blockIdx.x * count;
    float sum = 0.0f;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        sum += own[i] * own[i];
    }
    sum = of_block(sum, room, Add());
    if (threadIdx.x == 0) {
        out[blockIdx.x] = sum;
    }
}

#define LEAST 1.17549435e-38f

// Side of a Gram matrix; a thread has TILE × TILE values of a product of two.
#define SIDE 64
#define TILE 4
#define ACROSS (SIDE / TILE)

// The product of two matrices; `out` may be one of them.
__device__ void square_product(const float *a, const float *b, float *out) {
    int row = threadIdx.x / ACROSS * TILE, column = threadIdx.x % ACROSS * TILE;
    float sums[TILE][TILE];
#pragma unroll
    for (int i = 0; i < TILE; i++) {
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            sums[i][j] = 0.0f;
        }
    }
    for (int k = 0; k < SIDE; k++) {
#pragma unroll
        for (int i = 0; i < TILE; i++) {
            float left = a[(row + i) * SIDE + k];
#pragma unroll
            for (int j = 0; j < TILE; j++) {
                sums[i][j] += left * b[k * SIDE + column + j];
            }
        }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < TILE; i++) {
#pragma unroll
        for (int j = 0; j < TILE; j++) {
            out[(row + i) * SIDE + column + j] = sums[i][j];
        }
    }
    __syncthreads();
}

// What a matrix is multiplied by so that its singular values come out even: rounds of a polynomial in its Gram matrix,
// which is first brought to unit energy. A block of ACROSS × ACROSS threads for each matrix.
extern "C" __global__ void even_out(const float *grams, const float *energies, float a, float b, float c, int rounds,
                                    float *totals) {
    __shared__ float gram[SIDE * SIDE];
    __shared__ float polynomial[SIDE * SIDE];
    __shared__ float total[SIDE * SIDE];
    float energy = energies[blockIdx.x] + LEAST;
    for (int i = threadIdx.x; i < SIDE * SIDE; i += blockDim.x) {
        gram[i] = grams[blockIdx.x * SIDE * SIDE + i] / energy;
        total[i] = i / SIDE == i % SIDE ? 1.0f / sqrtf(energy) : 0.0f;
    }
    __syncthreads();
    for (int round = 0; round < rounds; round++) {
        square_product(gram, gram, polynomial);
        for (int i = threadIdx.x; i < SIDE * SIDE; i += blockDim.x) {
            polynomial[i] = c * polynomial[i] + b * gram[i] + (i / SIDE == i % SIDE ? a : 0.0f);
        }
        __syncthreads();
        if (round + 1 < rounds) {
            square_product(gram, polynomial, gram);
            square_product(gram, polynomial, gram);
        }
        square_product(total, polynomial, total);
    }
    for (int i = threadIdx.x; i < SIDE * SIDE; i += blockDim.x) {
        totals[blockIdx.x * SIDE * SIDE + i] = total[i];
    }
}

// Moves matrices of `size` values along `even`, brought to a root mean square of `change`. `shares` are one over the
// numbers of values that matrices have; the rest are zeros.
extern "C" __global__ void move_matrices(float *weights, const float *even, const float *energies, const float *shares,
                                         float change, int size, int count) {
    EACH(i, count) {
        int matrix = i / size;
        weights[i] -= change * even[i] / sqrtf(energies[matrix] * shares[matrix] + LEAST);
    }
}
