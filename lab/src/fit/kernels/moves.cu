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
