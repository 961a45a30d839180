# Programs for CPUs of several kinds: built once for each level of WAFERMARK_CPU_LEVELS, by builds inside of this one, and
# a launcher in their place that chooses when they start (tools/cpu_launcher). Whole programs, since an inline function of
# a header that several files compile for several CPUs would be kept once, for any of them.
#
#   cmake --preset portable && cmake --build --preset portable     -> build/portable/bin, build/portable/libexec/wafermark
#   cmake --install build/portable --prefix PREFIX
#
# What is given with -D (Kokkos_ROOT, WAFERMARK_HDF5, compilers, ...) goes to the builds inside.
include(ExternalProject)
include(CpuLevels)
include(CompilerCache)
find_package(fmt REQUIRED)

if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  message(FATAL_ERROR "WAFERMARK_CPU_LEVELS: found ${CMAKE_SYSTEM_PROCESSOR}, expected x86_64: only it has such levels")
endif()
foreach(level ${WAFERMARK_CPU_LEVELS})
  if(NOT level IN_LIST wafermark_known_cpu_levels)
    message(FATAL_ERROR "WAFERMARK_CPU_LEVELS: found ${level}, expected some of ${wafermark_known_cpu_levels}")
  endif()
endforeach()

set(given -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE})
get_cmake_property(variables CACHE_VARIABLES)
foreach(name ${variables})
  get_property(help CACHE ${name} PROPERTY HELPSTRING)
  if(help MATCHES "variable specified on the command line" OR name MATCHES "^CMAKE_(C|CXX)_(COMPILER|FLAGS)$")
    string(REPLACE ";" "|" value "${${name}}")
    list(APPEND given "-D${name}=${value}")
  endif()
endforeach()
string(JOIN "|" levels ${WAFERMARK_CPU_LEVELS})

foreach(level ${WAFERMARK_CPU_LEVELS})
  set(folder ${PROJECT_BINARY_DIR}/${level})
  ExternalProject_Add(${level}
    SOURCE_DIR ${PROJECT_SOURCE_DIR}
    BINARY_DIR ${folder}
    PREFIX ${folder}/external
    DOWNLOAD_COMMAND ""
    LIST_SEPARATOR |
    CMAKE_ARGS ${given} -DWAFERMARK_CPU_LEVELS=${levels} -DWAFERMARK_CPU_LEVEL=${level} -DWAFERMARK_TESTS=OFF
               -DWAFERMARK_BENCHMARKS=OFF -Wno-dev
    BUILD_COMMAND ${CMAKE_COMMAND} --build ${folder} --target tungsten_md sparse_llama
    INSTALL_COMMAND ${CMAKE_COMMAND} --install ${folder} --component programs --prefix ${PROJECT_BINARY_DIR}
    BUILD_ALWAYS ON
    USES_TERMINAL_BUILD ON)  # one after the other, each with all cores
endforeach()

add_subdirectory(tools/cpu_launcher)
foreach(name tungsten_md sparse_llama)
  wafermark_cpu_launcher(launch_${name} ${WAFERMARK_CPU_LEVELS})
  set_target_properties(launch_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  install(TARGETS launch_${name} RUNTIME DESTINATION bin)
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/libexec/wafermark DESTINATION libexec USE_SOURCE_PERMISSIONS)
include(InstallData)
