# By clang for the GPUs of Frontier (gfx90a) and El Capitan (gfx942), as target `hip_compile`: slow, not in CI. Needs a clang of version 19 or later and
# AMD's headers: those of a ROCm, or what jobscripts/hip_headers.sh brings.
find_program(WAFERMARK_HIP_CLANG NAMES amdclang++ clang++-21 clang++-20 clang++-19 HINTS ENV ROCM_PATH PATHS /opt/rocm PATH_SUFFIXES bin llvm/bin)
find_path(WAFERMARK_HIP_ROOT include/hip/hip_runtime.h HINTS ENV ROCM_PATH PATHS /opt/rocm ${cache}/wafermark/hip/usr NO_CMAKE_SYSTEM_PATH)
set(unavailable "")
if(Kokkos_ENABLE_HIP)
  set(unavailable "the whole build is a HIP build")
elseif(Kokkos_ENABLE_CUDA)
  set(unavailable "the whole build is a CUDA build")
elseif(NOT WAFERMARK_HIP_CLANG OR NOT WAFERMARK_HIP_ROOT)
  set(unavailable "no clang 19 or later (Debian: clang-19 libomp-19-dev), or no HIP headers (jobscripts/hip_headers.sh)")
endif()
if(unavailable)
  add_test(NAME hip_compile COMMAND ${CMAKE_COMMAND} -E echo "skipped: ${unavailable}")
  set_tests_properties(hip_compile PROPERTIES LABELS "slow;gpu-build" SKIP_REGULAR_EXPRESSION "^skipped: ")
  return()
endif()

# wafermark_hip_check(OUT file architecture headers original): a file that is there when `file`, compiled as `original` compiles its sources, went through.
function(wafermark_hip_check out file architecture headers original)
  get_filename_component(name ${file} NAME)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${name}.${architecture})
  # -MD and -MF by the front end's names: clang 21 takes no notice of them for device code alone.
  set(depends -Xclang -dependency-file -Xclang ${made}.d -Xclang -MT -Xclang ${made} -Xclang -sys-header-deps)
  set(folders "$<FILTER:$<TARGET_PROPERTY:${original},INCLUDE_DIRECTORIES>,EXCLUDE,^/usr/include$>")
  add_custom_command(OUTPUT ${made}
    COMMAND ${WAFERMARK_HIP_CLANG} -x hip --offload-arch=${architecture} --offload-device-only -nogpulib --hip-path=${WAFERMARK_HIP_ROOT} -D__HIP_PLATFORM_AMD__
            -std=c++20 -O1 -S -emit-llvm -o ${made} ${depends} -I${headers} "-I$<JOIN:${folders},;-I>"
            "-D$<JOIN:$<TARGET_PROPERTY:${original},COMPILE_DEFINITIONS>,;-D>" -isystem ${WAFERMARK_HIP_ROOT}/include ${file}
    DEPENDS ${file} DEPFILE ${made}.d COMMAND_EXPAND_LISTS VERBATIM COMMENT "HIP, ${architecture}: ${name}")
  set(${out} ${made} PARENT_SCOPE)
endfunction()

find_path(WAFERMARK_ROCBLAS rocblas/rocblas.h HINTS ${WAFERMARK_HIP_ROOT}/include NO_CMAKE_SYSTEM_PATH)
set(checks "")
foreach(architecture gfx90a gfx942)
  string(TOUPPER ${architecture} macro)
  wafermark_kokkos_device_headers(headers HIP "KOKKOS_ARCH_AMD_${macro};KOKKOS_ARCH_AMD_GPU=\"${architecture}\"")
  foreach(target ${targets})
    wafermark_device_sources(sources ${target} hip)
    if(NOT WAFERMARK_ROCBLAS)
      list(FILTER sources EXCLUDE REGEX "/matrix_library_hip\\.cpp$")
    endif()
    wafermark_device_batches(batches hip_${target} hip ${sources})
    foreach(batch ${batches})
      wafermark_hip_check(check ${batch} ${architecture} ${headers} ${target})
      list(APPEND checks ${check})
    endforeach()
  endforeach()
endforeach()
add_custom_target(hip_compile DEPENDS ${checks})
add_test(NAME hip_compile COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target hip_compile)

# The check can fail: a kernel that calls a host function is refused.
wafermark_hip_check(refused ${CMAKE_CURRENT_SOURCE_DIR}/host_call_on_device.cpp gfx942 ${headers} wafermark_tungsten_cluster)
add_custom_target(hip_host_call DEPENDS ${refused})
add_test(NAME hip_refuses_host_call COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target hip_host_call)
set_tests_properties(hip_refuses_host_call PROPERTIES PASS_REGULAR_EXPRESSION "error: reference to __host__ function 'kinetic_energy'")
set_tests_properties(hip_compile hip_refuses_host_call PROPERTIES LABELS "slow;gpu-build" RESOURCE_LOCK build_folder TIMEOUT 3600)
