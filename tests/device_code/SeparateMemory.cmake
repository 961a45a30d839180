# The tests of `unit` and `mpi` in a build for CPUs whose device memory host code cannot touch (preset separate-memory): what would crash on
# a GPU, or read there what is old, fails here. Slow: another whole build.
if(NOT WAFERMARK_SEPARATE_MEMORY AND NOT Kokkos_ENABLE_CUDA AND NOT Kokkos_ENABLE_HIP)
  wafermark_nested_build(separate_memory_build separate_memory LABELS slow TIMEOUT 7200
    CONFIGURE --preset separate-memory
    CHECK -L "unit|mpi" -LE slow --parallel 2)
endif()
