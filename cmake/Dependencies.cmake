# Every library the project uses, found in one place. jobscripts/setup.sh installs them on Debian.
find_package(Kokkos 4.5...<6 QUIET)
if(NOT Kokkos_FOUND)
  message(FATAL_ERROR
    "Kokkos 4.5 or later (below 6) was not found. On Debian: jobscripts/setup.sh. Elsewhere: "
    "jobscripts/spack.yaml or your site's modules, then -DKokkos_ROOT=<prefix>.")
endif()
message(STATUS "Kokkos ${Kokkos_VERSION}, back ends: ${Kokkos_DEVICES}")
set(WAFERMARK_BACKEND "" CACHE STRING "Back end that Kokkos must have (CUDA, HIP, SYCL, OPENMP); empty for any")
if(WAFERMARK_BACKEND AND NOT WAFERMARK_BACKEND IN_LIST Kokkos_DEVICES)
  message(FATAL_ERROR "${Kokkos_DIR}: found a Kokkos with ${Kokkos_DEVICES}, expected one with ${WAFERMARK_BACKEND} "
    "(-DKokkos_ROOT=<prefix>)")
endif()

option(WAFERMARK_SIMULATED_CLUSTER "MPI is SimGrid's: all ranks in one process, on a simulated clock" OFF)
option(WAFERMARK_HDF5 "Trajectories and checkpoints in HDF5" ON)
if(WAFERMARK_SIMULATED_CLUSTER)
  if(WAFERMARK_HDF5)
    message(FATAL_ERROR "WAFERMARK_HDF5=ON: parallel HDF5 is bound to another MPI than SimGrid's, expected OFF")
  endif()
  include(SimulatedMpi)
else()
  set(MPI_CXX_SKIP_MPICXX ON)
  find_package(MPI REQUIRED COMPONENTS CXX)
endif()
if(WAFERMARK_HDF5)
  set(HDF5_PREFER_PARALLEL ON)
  find_package(HDF5 REQUIRED COMPONENTS C)
  if(NOT HDF5_IS_PARALLEL)
    message(FATAL_ERROR "HDF5 ${HDF5_VERSION} at ${HDF5_C_INCLUDE_DIRS} is serial; a parallel build is needed "
      "(Debian: libhdf5-openmpi-dev; modules: hdf5-parallel or cray-hdf5-parallel).")
  endif()
  add_library(wafermark_hdf5 INTERFACE)
  add_library(wafermark::hdf5 ALIAS wafermark_hdf5)
  target_include_directories(wafermark_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
  target_link_libraries(wafermark_hdf5 INTERFACE ${HDF5_C_LIBRARIES} MPI::MPI_CXX)
endif()
find_package(fmt REQUIRED)
if(Kokkos_ENABLE_CUDA)  # fmt 9 turns half of its constexpr off for nvcc, which its other half needs
  target_compile_definitions(fmt::fmt INTERFACE FMT_USE_CONSTEXPR=1)
endif()
find_package(nlohmann_json 3.9 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(LibArchive REQUIRED)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)
find_package(BLAS REQUIRED)
find_path(WAFERMARK_CBLAS_INCLUDE_DIR cblas.h REQUIRED
  HINTS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} PATH_SUFFIXES openblas-pthread openblas-openmp openblas)
find_library(WAFERMARK_SENTENCEPIECE sentencepiece REQUIRED)
find_library(WAFERMARK_SENTENCEPIECE_TRAIN sentencepiece_train REQUIRED)
find_path(WAFERMARK_PCRE2_INCLUDE_DIR pcre2.h REQUIRED)
find_library(WAFERMARK_PCRE2 pcre2-8 REQUIRED)

add_library(wafermark_cblas INTERFACE)
add_library(wafermark::cblas ALIAS wafermark_cblas)
target_include_directories(wafermark_cblas SYSTEM INTERFACE ${WAFERMARK_CBLAS_INCLUDE_DIR})
target_link_libraries(wafermark_cblas INTERFACE ${BLAS_LIBRARIES})

add_library(wafermark_sentencepiece INTERFACE)
add_library(wafermark::sentencepiece ALIAS wafermark_sentencepiece)
target_link_libraries(wafermark_sentencepiece INTERFACE ${WAFERMARK_SENTENCEPIECE_TRAIN} ${WAFERMARK_SENTENCEPIECE})

add_library(wafermark_pcre2 INTERFACE)
add_library(wafermark::pcre2 ALIAS wafermark_pcre2)
target_include_directories(wafermark_pcre2 SYSTEM INTERFACE ${WAFERMARK_PCRE2_INCLUDE_DIR})
target_link_libraries(wafermark_pcre2 INTERFACE ${WAFERMARK_PCRE2})

add_library(wafermark_random123 INTERFACE)
add_library(wafermark::random123 ALIAS wafermark_random123)
target_include_directories(wafermark_random123 SYSTEM INTERFACE ${RANDOM123_INCLUDE_DIR})

# Warnings for our own code only.
add_library(wafermark_warnings INTERFACE)
add_library(wafermark::warnings ALIAS wafermark_warnings)
target_compile_options(wafermark_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion>)
