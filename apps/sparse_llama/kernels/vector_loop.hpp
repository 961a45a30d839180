// For loops of a constant number of turns that are to become vector instructions: GCC unrolls such a loop
// before it looks for vectors, and then finds poor ones.
#pragma once

#include "sparse_llama/kernels/gpu_compiler.hpp"

#if defined(__GNUC__) && !defined(__clang__) && !defined(WAFERMARK_GPU_COMPILER)
#define WAFERMARK_VECTOR_LOOP _Pragma("GCC unroll 1")
#else
#define WAFERMARK_VECTOR_LOOP
#endif

// For loops of a constant number of turns whose loads a device is to have under way together.
#if defined(WAFERMARK_GPU_COMPILER)
#define WAFERMARK_UNROLL _Pragma("unroll")
#else
#define WAFERMARK_UNROLL
#endif
