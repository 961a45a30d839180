# The whole suite, tests included, compiled and linked for a GPU in a build of its own: slow, not in CI, and needs no GPU but its compiler and a Kokkos
# from jobscripts/device_kokkos.sh. Programs are started too: as far as they get without a device.

# wafermark_device_build(BACKEND ARCHITECTURE compiler): the tests for the preset cluster-BACKEND. A compiler without a folder is the Kokkos' own.
function(wafermark_device_build backend architecture compiler)
  set(name ${backend}_build_${architecture})
  file(GLOB kokkos ${cache}/wafermark/kokkos/*-${backend}-${architecture}-*/lib*/cmake/Kokkos/KokkosConfig.cmake)
  if(Kokkos_ENABLE_CUDA OR Kokkos_ENABLE_HIP)
    set(unavailable "the whole build is one for GPUs")
  elseif(NOT kokkos)
    set(unavailable "no Kokkos for ${architecture} (jobscripts/device_kokkos.sh ${backend} --arch ${architecture})")
  else()
    set(unavailable "")
  endif()
  if(unavailable)
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${unavailable}")
    set_tests_properties(${name} PROPERTIES LABELS "slow;gpu-build" SKIP_REGULAR_EXPRESSION "^skipped: ")
    return()
  endif()
  list(SORT kokkos COMPARE NATURAL ORDER DESCENDING)
  list(GET kokkos 0 newest)
  string(REGEX REPLACE "/lib[^/]*/cmake/Kokkos/KokkosConfig.cmake$" "" root ${newest})
  string(REPLACE "KOKKOS_ROOT" ${root} compiler ${compiler})
  wafermark_nested_build(${name} ${name}_without_device LABELS slow gpu-build TIMEOUT 14400
    CONFIGURE --preset cluster-${backend} -DKokkos_ROOT=${root} -DCMAKE_CXX_COMPILER=${compiler} -DWAFERMARK_BENCHMARKS=OFF
              "-DCMAKE_CXX_FLAGS_RELEASE=-O0 -DNDEBUG"
    CHECK -R ^without_device$)
endfunction()
wafermark_device_build(cuda sm_90 KOKKOS_ROOT/bin/nvcc_wrapper)
wafermark_device_build(hip gfx90a hipcc)
wafermark_device_build(hip gfx942 hipcc)

# What a program for GPUs says where there is none: of every build for GPUs, on any machine.
if(Kokkos_ENABLE_CUDA OR Kokkos_ENABLE_HIP)
  add_test(NAME without_device COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/without_device.sh "${CUDA_cuda_driver_LIBRARY}"
    $<TARGET_FILE:tungsten_md> $<TARGET_FILE:sparse_llama>)
endif()
