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

