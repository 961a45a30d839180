# Builds for one CPU (WAFERMARK_CPU, passed to -march), or for one level of a portable build, and tells Kokkos::simd which
# vectors that CPU has: a distribution's Kokkos is configured for the oldest CPU, and its headers pick vectors by these macros.
set(WAFERMARK_CPU native CACHE STRING "CPU to build for, as in -march=; empty for the compiler's default")
# What CMake keeps of the compiler's answers is of one CPU: it is asked again when the folder is to build for another.
if(NOT "${WAFERMARK_CPU};${WAFERMARK_CPU_LEVEL}" STREQUAL "${WAFERMARK_CPU_ASKED_OF}")
  unset(WAFERMARK_HAS_MARCH CACHE)
  unset(WAFERMARK_HAS_AVX2 CACHE)
  unset(WAFERMARK_HAS_AVX512 CACHE)
  set(WAFERMARK_CPU_ASKED_OF "${WAFERMARK_CPU};${WAFERMARK_CPU_LEVEL}" CACHE INTERNAL "")
endif()
set(wafermark_cpu_options "")
set(wafermark_build_flags "${CMAKE_BUILD_TYPE}")
if(WAFERMARK_CPU_LEVEL)
  include(CpuLevels)
  set(wafermark_cpu_options ${wafermark_options_of_${WAFERMARK_CPU_LEVEL}})
  # The same for all levels: what was built does not hang on the CPU that asks.
  list(JOIN WAFERMARK_CPU_LEVELS ", " levels)
  string(APPEND wafermark_build_flags " for ${levels}")
elseif(WAFERMARK_CPU)
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-march=${WAFERMARK_CPU} WAFERMARK_HAS_MARCH)
  if(WAFERMARK_HAS_MARCH)
    list(APPEND wafermark_cpu_options -march=${WAFERMARK_CPU})
    string(APPEND wafermark_build_flags " -march=${WAFERMARK_CPU}")
  endif()
endif()

include(CheckCXXSourceCompiles)
list(JOIN wafermark_cpu_options " " CMAKE_REQUIRED_FLAGS)
check_cxx_source_compiles("
#if !defined(__AVX2__) || !defined(__FMA__)
#error no
#endif
int main() {}" WAFERMARK_HAS_AVX2)
check_cxx_source_compiles("
#if !defined(__AVX512F__) || !defined(__AVX512DQ__) || !defined(__AVX512BW__) || !defined(__AVX512VL__)
#error no
#endif
int main() {}" WAFERMARK_HAS_AVX512)
unset(CMAKE_REQUIRED_FLAGS)

add_library(wafermark_target_cpu INTERFACE)
add_library(wafermark::target_cpu ALIAS wafermark_target_cpu)
target_compile_options(wafermark_target_cpu INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:${wafermark_cpu_options}>)
if(WAFERMARK_HAS_AVX2)
  # A Kokkos that was configured for this CPU defines the macro itself.
  target_compile_definitions(wafermark_target_cpu INTERFACE $<$<COMPILE_LANGUAGE:CXX>:KOKKOS_ARCH_AVX2>)
endif()
if(WAFERMARK_HAS_AVX512)
  target_compile_definitions(wafermark_target_cpu INTERFACE $<$<COMPILE_LANGUAGE:CXX>:KOKKOS_ARCH_AVX512XEON>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC's own AVX-512 headers (bug 105593).
    target_compile_options(wafermark_target_cpu INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized$<SEMICOLON>-Wno-uninitialized>)
  endif()
endif()
