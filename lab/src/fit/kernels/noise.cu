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

