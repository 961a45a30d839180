# By nvcc for sm_90, as target `cuda_compile`. Its device half ends at PTX: g++ over the host half would take three quarters of the time, and what is
# wrong there nvcc's own front end says too.
option(WAFERMARK_CUDA_CHECK "Compile device code with nvcc too, where there is one" ON)
set(kokkos_cuda_headers "")
set(unavailable "switched off (WAFERMARK_CUDA_CHECK)")
find_program(WAFERMARK_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(Kokkos_ENABLE_CUDA OR Kokkos_ENABLE_HIP)
  set(unavailable "the whole build is one for GPUs")
elseif(WAFERMARK_CUDA_CHECK)
  set(unavailable "no nvcc that works with ${CMAKE_CXX_COMPILER}")
  if(WAFERMARK_NVCC)
    set(CMAKE_CUDA_COMPILER ${WAFERMARK_NVCC})
    set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
    set(CMAKE_CUDA_ARCHITECTURES 90-virtual)
    include(CheckLanguage)
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
      set(unavailable "")
    endif()
  endif()
endif()

if(unavailable)
  message(STATUS "CUDA compile check: ${unavailable}")
  add_test(NAME cuda_compile COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${unavailable}")
  set_tests_properties(cuda_compile PROPERTIES LABELS cuda SKIP_REGULAR_EXPRESSION "^skipped: ")
  return()
endif()

enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know nvcc 13
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
wafermark_kokkos_device_headers(kokkos_cuda_headers CUDA "KOKKOS_ARCH_HOPPER90;KOKKOS_ARCH_HOPPER")

# As a build with nvcc_wrapper would have it: the sources see the CPU's vectors and OpenMP.
add_library(cuda_options INTERFACE)
target_compile_options(cuda_options INTERFACE
  --expt-extended-lambda --expt-relaxed-constexpr
  # A host function called on the device is only a warning by default.
  "SHELL:-Werror cross-execution-space-call"
  -Xcompiler=-fopenmp "$<$<BOOL:${wafermark_cpu_options}>:-Xcompiler=${wafermark_cpu_options}>")
target_compile_definitions(cuda_options INTERFACE
  FMT_USE_CONSTEXPR=1  # fmt 9 turns half of its constexpr off for nvcc, which its other half needs
  $<$<BOOL:${WAFERMARK_HAS_AVX2}>:KOKKOS_ARCH_AVX2>)

# wafermark_cuda_objects(NAME original sources...): the sources, compiled as `original` compiles them, but by nvcc.
function(wafermark_cuda_objects name original)
  wafermark_device_batches(batches ${name} cu ${ARGN})
  add_library(${name} OBJECT EXCLUDE_FROM_ALL ${batches})
  set_target_properties(${name} PROPERTIES CUDA_PTX_COMPILATION ON)
  foreach(property LINK_LIBRARIES INCLUDE_DIRECTORIES COMPILE_DEFINITIONS)
    get_target_property(value ${original} ${property})
    if(value)
      set_property(TARGET ${name} PROPERTY ${property} ${value})
    endif()
  endforeach()
  target_link_libraries(${name} PRIVATE cuda_options)
  target_include_directories(${name} BEFORE PRIVATE ${kokkos_cuda_headers})
endfunction()

add_custom_target(cuda_compile)
set(count 0)
foreach(target ${targets})
  wafermark_device_sources(sources ${target} cuda)
  if(sources)
    wafermark_cuda_objects(cuda_${target} ${target} ${sources})
    add_dependencies(cuda_compile cuda_${target})
    list(LENGTH sources n)
    math(EXPR count "${count} + ${n}")
  endif()
endforeach()
# Declared by hand, since the library is loaded while a program runs: as in its header, where there is one?
find_path(WAFERMARK_NCCL_INCLUDE_DIR nccl.h HINTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
if(WAFERMARK_NCCL_INCLUDE_DIR)
  set_source_files_properties(nccl_header.cpp PROPERTIES LANGUAGE CUDA)
  add_library(nccl_header OBJECT EXCLUDE_FROM_ALL nccl_header.cpp)
  set_target_properties(nccl_header PROPERTIES CUDA_PTX_COMPILATION ON)
  target_link_libraries(nccl_header PRIVATE wafermark::llama_cluster cuda_options)
  target_include_directories(nccl_header SYSTEM BEFORE PRIVATE ${kokkos_cuda_headers} ${WAFERMARK_NCCL_INCLUDE_DIR})
  add_dependencies(cuda_compile nccl_header)
endif()
message(STATUS "CUDA compile check: ${count} source files hold device code, ${CMAKE_CUDA_COMPILER}")

# Behind other tests: ranks that wait for one another give way, and beside compilers each message costs them a slice of time.
add_test(NAME cuda_compile COMMAND nice -n 19 ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target cuda_compile)

# The check can fail: a kernel that calls a host function is refused.
set_source_files_properties(host_call_on_device.cpp PROPERTIES LANGUAGE CUDA)
add_library(host_call_on_device OBJECT EXCLUDE_FROM_ALL host_call_on_device.cpp)
set_target_properties(host_call_on_device PROPERTIES CUDA_PTX_COMPILATION ON)
target_link_libraries(host_call_on_device PRIVATE Kokkos::kokkos cuda_options)
target_include_directories(host_call_on_device BEFORE PRIVATE ${kokkos_cuda_headers})
add_test(NAME cuda_refuses_host_call
  COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target host_call_on_device)
set_tests_properties(cuda_refuses_host_call PROPERTIES
  PASS_REGULAR_EXPRESSION "error.*calling a __host__ function.*kinetic_energy")

# Both run the build tool in this build folder: one at a time.
set_tests_properties(cuda_compile cuda_refuses_host_call PROPERTIES
  LABELS cuda RESOURCE_LOCK build_folder TIMEOUT 1200 COST 1000)
