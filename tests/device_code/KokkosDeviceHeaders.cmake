# The Kokkos headers of this machine, as a Kokkos that is configured for a GPU would have them: generated headers stand before the installed ones in the
# include path. Enough to compile device code, not to run it. A Kokkos that has the back end needs none of this.
#   wafermark_kokkos_device_headers(OUT_DIR BACKEND "MACRO[=VALUE]...")    BACKEND: CUDA or HIP, MACROs: of its architecture
function(wafermark_kokkos_device_headers out_dir backend macros)
  find_path(KOKKOS_CONFIG_INCLUDE_DIR KokkosCore_config.h PATH_SUFFIXES kokkos REQUIRED
            HINTS ${Kokkos_DIR}/../../../include ${Kokkos_DIR}/../../../../include)
  list(GET macros 0 architecture)
  set(overlay ${CMAKE_CURRENT_BINARY_DIR}/kokkos_headers_${architecture})

  file(READ ${KOKKOS_CONFIG_INCLUDE_DIR}/KokkosCore_config.h text)
  foreach(macro KOKKOS_ENABLE_${backend} ${macros})
    string(REGEX MATCH "^[^=]+" name ${macro})
    string(REPLACE "=" " " definition ${macro})
    if(NOT text MATCHES "/\\* #undef ${name} \\*/")
      message(FATAL_ERROR "${KOKKOS_CONFIG_INCLUDE_DIR}/KokkosCore_config.h: found no '/* #undef ${name} */', "
                          "expected a Kokkos without ${backend}")
    endif()
    string(REPLACE "/* #undef ${name} */" "#define ${definition}" text "${text}")
  endforeach()
  file(CONFIGURE OUTPUT ${overlay}/KokkosCore_config.h CONTENT "${text}" @ONLY)

  # Host back ends first, as Kokkos itself orders them.
  set(setup_CUDA Cuda)
  set(setup_HIP HIP)
  foreach(pair Setup:setup/Kokkos_Setup_${setup_${backend}} Fwd:fwd/Kokkos_Fwd_${backend} Declare:decl/Kokkos_Declare_${backend})
    string(REGEX REPLACE ":.*" "" kind ${pair})
    string(REGEX REPLACE ".*:" "" device_header ${pair})
    set(header KokkosCore_Config_${kind}Backend.hpp)
    file(CONFIGURE OUTPUT ${overlay}/${header} @ONLY
         CONTENT "#pragma once\n#include \"${KOKKOS_CONFIG_INCLUDE_DIR}/${header}\"\n#include <${device_header}.hpp>\n")
  endforeach()
  file(CONFIGURE OUTPUT ${overlay}/desul/atomics/Config.hpp @ONLY
       CONTENT "#pragma once\n#define DESUL_ATOMICS_ENABLE_${backend}\n#include \"${KOKKOS_CONFIG_INCLUDE_DIR}/desul/atomics/Config.hpp\"\n")
  set(${out_dir} ${overlay} PARENT_SCOPE)
endfunction()
