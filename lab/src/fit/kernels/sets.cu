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

