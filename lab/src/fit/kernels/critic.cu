
// The critic: convolutions over times and bands of planes `stretches × times × bands × channels`. Its parameters lie as
// `layers × rows × widest`, a patch's weights before they are brought to their gain, and the bias as the last row.

// Most outputs of a layer.
#define MOST_OUTPUTS 24

__device__ u64 split_mix(u64 z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

// Number `i` of a sequence: nearly normal, the sum of four uniform ones.
__device__ float nearly_gaussian(u64 counter, u64 i) {
    u64 z = split_mix(counter + (i + 1) * 0x9E3779B97F4A7C15ull);
    u64 sum = (z & 0xFFFF) + (z >> 16 & 0xFFFF) + (z >> 32 & 0xFFFF) + (z >> 48);
    return ((float)sum - 131069.5f) * (1.7320508f / 65536.0f);
}

// What the critic sees of one stretch: its features less their means, in deviations and blurred by noise, and where
// their band is.
extern "C" __global__ void look(const float *features, const float *mean, const float *scale, const float *places,
                                u32 counter_low, u32 counter_high, float deviation, int times, int bands, int channels,
                                int place_channels, float *out) {
    int wide = channels + place_channels;
    u64 counter = (u64)counter_high << 32 | counter_low;
    EACH(i, times * bands * wide) {
        int channel = i % wide, place = i / wide;
        int band = place % bands, time = place / bands;
        if (channel < channels) {
            int at = channel * bands + band;
            float blur = deviation * nearly_gaussian(counter, (u64)place * channels + channel);
            out[i] = (features[(u64)time * channels * bands + at] - mean[at]) * scale[at] + blur;
        } else {
            out[i] = places[band * place_channels + channel - channels];
        }
    }
}

// A convolution's way over planes: times and bands of its kernel, its stride and margin, its channels; stretches, times
// and bands of the planes; times and bands of the result.
struct Way {
    int kernel_times, kernel_bands, stride, margin, inputs, outputs, stretches, times, bands, result_times, result_bands;
};

__device__ Way way_of(const int *way) {
    Way w = {way[0], way[1], way[2], way[3], way[4], way[5], way[6], way[7], way[8], way[9], way[10]};
    return w;
}

// The convolution of planes, and a leaky rectifier.
extern "C" __global__ void convolve(const float *planes, const int *numbers, const float *parameters,
                                    const float *factors, int layer, int rows, int widest, float leak, float *out) {
    Way w = way_of(numbers);
    const float *weights = parameters + layer * rows * widest;
    float factor = factors[layer];
    EACH(i, w.stretches * w.result_times * w.result_bands * w.outputs) {
        int output = i % w.outputs, place = i / w.outputs;
        int band = place % w.result_bands * w.stride - w.margin;
        int row = place / w.result_bands;
        int time = row / w.result_times * w.times + row % w.result_times * w.stride;
        float sum = 0.0f;
        for (int t = 0; t < w.kernel_times; t++) {
            for (int b = 0; b < w.kernel_bands; b++) {
                if (band + b < 0 || band + b >= w.bands) {
                    continue;
                }
                const float *x = planes + ((time + t) * w.bands + band + b) * w.inputs;
                const float *of = weights + (t * w.kernel_bands + b) * w.inputs * widest + output;
                for (int c = 0; c < w.inputs; c++) {
                    sum += x[c] * of[c * widest];
                }
            }
        }
        float y = factor * sum + weights[(rows - 1) * widest + output];
        out[i] = fmaxf(y, leak * y);
    }
}

// The verdicts of a head, a convolution with one output; a block for each.
extern "C" __global__ void verdicts(const float *planes, const int *numbers, const float *parameters,
                                    const float *factors, int layer, int rows, int widest, float *out) {
    __shared__ float room[1024];
    Way w = way_of(numbers);
    const float *weights = parameters + layer * rows * widest;
    int place = blockIdx.x;
    int band = place % w.result_bands * w.stride - w.margin;
    int row = place / w.result_bands;
    int time = row / w.result_times * w.times + row % w.result_times * w.stride;
    float sum = 0.0f;
    for (int k = threadIdx.x; k < w.kernel_times * w.kernel_bands * w.inputs; k += blockDim.x) {
        int tap = k / w.inputs;
        int at = band + tap % w.kernel_bands;
        if (at >= 0 && at < w.bands) {
            sum += planes[((time + tap / w.kernel_bands) * w.bands + at) * w.inputs + k % w.inputs] * weights[k * widest];
        }
    }
    sum = of_block(sum, room, Add());
    if (threadIdx.x == 0) {
        out[place] = factors[layer] * sum + weights[(rows - 1) * widest];
    }
}

// The gradient by the verdicts of both heads, of which the first has `first` a stretch and the second `second`: of minus
// their mean; or, where the critic learns, of its hinge loss: stretches from `real` on are of the capture.
extern "C" __global__ void by_verdicts(const float *verdicts, int stretches, int first, int second, int real, int learns,
                                       float *out) {
    EACH(i, stretches * (first + second)) {
        bool is_first = i < stretches * first;
        int count = is_first ? first : second;
        int stretch = (is_first ? i : i - stretches * first) / count;
        float sign = !learns || stretch >= real ? 1.0f : -1.0f;
        out[i] = !learns || sign * verdicts[i] < 1.0f ? -sign / (float)count : 0.0f;
    }
}

// The gradient by planes from that by a convolution's results, added to `out` where it `adds`, and from there through the
// leaky rectifier that the planes came from.
extern "C" __global__ void by_planes(const float *by_results, const float *planes, const int *numbers,
                                     const float *parameters, const float *factors, int layer, int rows, int widest,
                                     float leak, int adds, float *out) {
    Way w = way_of(numbers);
    const float *weights = parameters + layer * rows * widest;
    float factor = factors[layer];
    EACH(i, w.stretches * w.times * w.bands * w.inputs) {
        int channel = i % w.inputs, place = i / w.inputs;
        int band = place % w.bands + w.margin, row = place / w.bands;
        int time = row % w.times, stretch = row / w.times;
        float sum = 0.0f;
        for (int t = 0; t < w.kernel_times; t++) {
            int result_time = (time - t) / w.stride;
            if (time < t || (time - t) % w.stride != 0 || result_time >= w.result_times) {
                continue;
            }
            for (int b = 0; b < w.kernel_bands; b++) {
                int result_band = (band - b) / w.stride;
                if (band < b || (band - b) % w.stride != 0 || result_band >= w.result_bands) {
                    continue;
                }
                const float *dy = by_results +
                    ((stretch * w.result_times + result_time) * w.result_bands + result_band) * w.outputs;
                const float *of = weights + ((t * w.kernel_bands + b) * w.inputs + channel) * widest;
                for (int o = 0; o < w.outputs; o++) {
                    sum += dy[o] * of[o];
                }
            }
        }
        sum = factor * sum + (adds ? out[i] : 0.0f);
        out[i] = sum * (planes[i] > 0.0f ? 1.0f : leak);
    }
}

// The gradient by a layer's parameters, added to `gradient` where it `adds`. A block for each value of a patch, and one
// for the bias.
extern "C" __global__ void by_parameters(const float *by_results, const float *planes, const int *numbers,
                                         const float *factors, int layer, int rows, int widest, int adds,
                                         float *gradient) {
    __shared__ float room[1024];
    Way w = way_of(numbers);
    int k = blockIdx.x, patch = w.kernel_times * w.kernel_bands * w.inputs;
    bool is_bias = k == patch;
    int tap = k / w.inputs, channel = k % w.inputs;
    int tap_time = tap / w.kernel_bands, tap_band = tap % w.kernel_bands - w.margin;
    float sums[MOST_OUTPUTS];
#pragma unroll
    for (int o = 0; o < MOST_OUTPUTS; o++) {
        sums[o] = 0.0f;
    }
    for (int place = threadIdx.x; place < w.stretches * w.result_times * w.result_bands; place += blockDim.x) {
        float x = 1.0f;
        if (!is_bias) {
            int band = place % w.result_bands * w.stride + tap_band;
            if (band < 0 || band >= w.bands) {
                continue;
            }
            int row = place / w.result_bands;
            int time = row / w.result_times * w.times + row % w.result_times * w.stride + tap_time;
            x = planes[(time * w.bands + band) * w.inputs + channel];
        }
        const float *dy = by_results + place * w.outputs;
#pragma unroll
        for (int o = 0; o < MOST_OUTPUTS; o++) {
            if (o < w.outputs) {
                sums[o] += x * dy[o];
            }
        }
    }
    float *out = gradient + (layer * rows + (is_bias ? rows - 1 : k)) * widest;
    float factor = is_bias ? 1.0f : factors[layer];
#pragma unroll
    for (int o = 0; o < MOST_OUTPUTS; o++) {
        if (o < w.outputs) {
            float sum = of_block(sums[o], room, Add());
            if (threadIdx.x == 0) {
                out[o] = factor * sum + (adds ? out[o] : 0.0f);
            }
        }
    }
}

// The gradient by features from that by what the critic saw of them.
extern "C" __global__ void by_seen(const float *by_planes, const float *scale, int frames, int bands, int channels,
                                   int wide, float *out) {
    EACH(i, frames * bands * channels) {
        int at = i % (bands * channels), frame = i / (bands * channels);
        out[i] = by_planes[(frame * bands + at % bands) * wide + at / bands] * scale[at];
    }
}

// How large the critic's gradient is to be against the one that it is added to: a block for each stretch that it saw.
// It saw the first `frames` frames of every `every`th stretch of `length` frames.
extern "C" __global__ void critic_scale(const float *gradient, const float *by_critic, int width, int length, int every,
                                        int frames, float weight, float *out) {
    __shared__ float room[1024];
    const float *own = gradient + (u64)blockIdx.x * every * length * width;
    const float *its = by_critic + (u64)blockIdx.x * frames * width;
    float own_energy = 0.0f, its_energy = 0.0f;
    for (int i = threadIdx.x; i < length * width; i += blockDim.x) {
        own_energy += own[i] * own[i];
    }
    for (int i = threadIdx.x; i < frames * width; i += blockDim.x) {
        its_energy += its[i] * its[i];
    }
    own_energy = of_block(own_energy, room, Add());
    its_energy = of_block(its_energy, room, Add());
    if (threadIdx.x == 0) {
        out[blockIdx.x] = weight * sqrtf(own_energy) / (sqrtf(its_energy) + 1.17549435e-38f);
    }
}

// A gradient with the critic's added to it.
extern "C" __global__ void add_critic(const float *gradient, const float *by_critic, const float *scales, int width,
                                      int length, int every, int frames, int count, float *out) {
    EACH(i, count) {
        int row = i / width;
        int stretch = row / length, frame = row % length;
        float value = gradient[i];
        if (stretch % every == 0 && frame < frames) {
            int seen = stretch / every;
            value += scales[seen] * by_critic[((u64)seen * frames + frame) * width + i % width];
        }
        out[i] = value;
    }
}

// Numbers that a critic keeps: by how much its verdicts have lately differed, whether that is known, steps that it has
// learned in, whether it goes on in this one, and what its moments are multiplied by.
#define GAP 0
#define IS_KNOWN 1
#define STEPS 2
#define GOES 3
#define FIRST_SCALE 4
#define SECOND_SCALE 5

__device__ float mean_of(const float *x, int count, float *room) {
    float sum = 0.0f;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        sum += x[i];
    }
    return of_block(sum, room, Add()) / (float)count;
}

// Whether the critic learns from verdicts on stretches of the capture and of the synthesis; both heads', one run behind
// the other. One block.
extern "C" __global__ void critic_state(const float *real_first, int real_first_count, const float *real_second,
                                        int real_second_count, const float *own_first, int own_first_count,
                                        const float *own_second, int own_second_count, float smoothing, float most_gap,
                                        float beta_1, float beta_2, float *state) {
    __shared__ float room[1024];
    float real = mean_of(real_first, real_first_count, room) + mean_of(real_second, real_second_count, room);
    float own = mean_of(own_first, own_first_count, room) + mean_of(own_second, own_second_count, room);
    if (threadIdx.x == 0) {
        float gap = real - own;
        if (state[IS_KNOWN] != 0.0f) {
            gap = state[GAP] + smoothing * (gap - state[GAP]);
        }
        state[GAP] = gap;
        state[IS_KNOWN] = 1.0f;
        bool goes = gap <= most_gap;
        float steps = state[STEPS] + (goes ? 1.0f : 0.0f);
        state[STEPS] = steps;
        state[GOES] = goes ? 1.0f : 0.0f;
        state[FIRST_SCALE] = 1.0f / (1.0f - powf(beta_1, fmaxf(steps, 1.0f)));
        state[SECOND_SCALE] = 1.0f / (1.0f - powf(beta_2, fmaxf(steps, 1.0f)));
    }
}

// Adam's move of the critic, where it goes on.
extern "C" __global__ void critic_adam(const float *gradient, const float *state, float *parameters, float *first,
                                       float *second, float beta_1, float beta_2, float epsilon, float rate, int count) {
    if (state[GOES] == 0.0f) {
        return;
    }
    EACH(i, count) {
        float g = gradient[i];
        float m = first[i] = beta_1 * first[i] + (1.0f - beta_1) * g;
        float v = second[i] = beta_2 * second[i] + (1.0f - beta_2) * g * g;
        parameters[i] -= rate * m * state[FIRST_SCALE] / (sqrtf(v * state[SECOND_SCALE]) + epsilon);
    }
}

// A round of power iteration, and the gain of a layer's weights by its estimate of their largest singular value, where
// the critic goes on. A block for each layer; `left` is its room.
extern "C" __global__ void normalize(const float *parameters, const float *state, int rows, int widest, float gain,
                                     float *left, float *directions, float *factors) {
    __shared__ float room[1024];
    if (state[GOES] == 0.0f) {
        return;
    }
    const float *weights = parameters + blockIdx.x * rows * widest;
    float *own = left + blockIdx.x * rows, *direction = directions + blockIdx.x * widest;
    float energy = 0.0f;
    for (int k = threadIdx.x; k < rows - 1; k += blockDim.x) {
        float sum = 0.0f;
        for (int o = 0; o < widest; o++) {
            sum += weights[k * widest + o] * direction[o];
        }
        own[k] = sum;
        energy += sum * sum;
    }
    float norm = sqrtf(of_block(energy, room, Add())) + 1.17549435e-38f;
    float largest = 0.0f;
    for (int o = 0; o < widest; o++) {
        float sum = 0.0f;
        for (int k = threadIdx.x; k < rows - 1; k += blockDim.x) {
            sum += weights[k * widest + o] * own[k];
        }
        sum = of_block(sum, room, Add()) / norm;
        if (threadIdx.x == 0) {
            direction[o] = sum;
        }
        largest += sum * sum;
    }
    largest = sqrtf(largest) + 1.17549435e-38f;
    __syncthreads();
    for (int o = threadIdx.x; o < widest; o += blockDim.x) {
        direction[o] /= largest;
    }
    if (threadIdx.x == 0) {
        factors[blockIdx.x] = gain / largest;
    }
}
