// Whether a compiler of GPU code reads this, nvcc or hipcc, in either half of its work: kernels for the
// vectors of x86 CPUs are not for it.
#pragma once

#if defined(__CUDACC__) || defined(__HIPCC__)
#define WAFERMARK_GPU_COMPILER 1
#endif
