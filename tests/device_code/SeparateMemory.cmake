# The tests of `unit` and `mpi` in a build for CPUs whose device memory host code cannot touch (preset separate-memory): what would crash on
# a GPU, or read there what is old, fails here. Slow: another whole build.
set(name separate_memory)
if(WAFERMARK_SEPARATE_MEMORY OR Kokkos_ENABLE_CUDA OR Kokkos_ENABLE_HIP)
  return()
endif()
set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name})
add_test(NAME ${name}_configure WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
  COMMAND ${CMAKE_COMMAND} --preset separate-memory -B ${folder} -Wno-dev -DCMAKE_UNITY_BUILD=ON)
add_test(NAME ${name}_build COMMAND ${CMAKE_COMMAND} --build ${folder})
add_test(NAME ${name} COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${folder} -L "unit|mpi" -LE slow --no-tests=error --output-on-failure --parallel 2)
set_tests_properties(${name}_configure PROPERTIES FIXTURES_SETUP ${name}_configured)
set_tests_properties(${name}_build PROPERTIES FIXTURES_REQUIRED ${name}_configured FIXTURES_SETUP ${name}_built)
set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED ${name}_built)
set_tests_properties(${name}_configure ${name}_build ${name} PROPERTIES LABELS slow RESOURCE_LOCK device_build TIMEOUT 7200)
