# The Kokkos headers of this machine, as a Kokkos that is configured for CUDA (sm_90) would have them: four
# generated headers stand before the installed ones in the include path. Enough to compile device code, not to run
# it. A Kokkos that has CUDA needs none of this.
#   wafermark_kokkos_cuda_headers(OUT_DIR)
function(wafermark_kokkos_cuda_headers out_dir)
  find_path(KOKKOS_CONFIG_INCLUDE_DIR KokkosCore_config.h PATH_SUFFIXES kokkos REQUIRED
            HINTS ${Kokkos_DIR}/../../../include ${Kokkos_DIR}/../../../../include)
  set(overlay ${CMAKE_CURRENT_BINARY_DIR}/kokkos_cuda_headers)

  file(READ ${KOKKOS_CONFIG_INCLUDE_DIR}/KokkosCore_config.h text)
  foreach(macro KOKKOS_ENABLE_CUDA KOKKOS_ARCH_HOPPER KOKKOS_ARCH_HOPPER90)
    if(NOT text MATCHES "/\\* #undef ${macro} \\*/")
      message(FATAL_ERROR "${KOKKOS_CONFIG_INCLUDE_DIR}/KokkosCore_config.h: found no '/* #undef ${macro} */', "
                          "expected a Kokkos without CUDA")
    endif()
    string(REPLACE "/* #undef ${macro} */" "#define ${macro}" text "${text}")
  endforeach()
  file(CONFIGURE OUTPUT ${overlay}/KokkosCore_config.h CONTENT "${text}" @ONLY)

  # Host back ends first, as Kokkos itself orders them.
  foreach(pair Setup:setup/Kokkos_Setup_Cuda Fwd:fwd/Kokkos_Fwd_CUDA Declare:decl/Kokkos_Declare_CUDA)
    string(REGEX REPLACE ":.*" "" kind ${pair})
    string(REGEX REPLACE ".*:" "" cuda_header ${pair})
    set(header KokkosCore_Config_${kind}Backend.hpp)
    file(CONFIGURE OUTPUT ${overlay}/${header} @ONLY
         CONTENT "#pragma once\n#include \"${KOKKOS_CONFIG_INCLUDE_DIR}/${header}\"\n#include <${cuda_header}.hpp>\n")
  endforeach()
  file(CONFIGURE OUTPUT ${overlay}/desul/atomics/Config.hpp @ONLY
       CONTENT "#pragma once\n#define DESUL_ATOMICS_ENABLE_CUDA\n#include \"${KOKKOS_CONFIG_INCLUDE_DIR}/desul/atomics/Config.hpp\"\n")
  set(${out_dir} ${overlay} PARENT_SCOPE)
endfunction()
