# A build within the tests: another whole build of this source, slow, and what is asked of it.

# wafermark_nested_build(build check LABELS ... TIMEOUT seconds CONFIGURE cmake arguments CHECK ctest arguments): the tests `build`_configure,
# `build`, in a folder of that name, and `check`, each for the next.
function(wafermark_nested_build build check)
  cmake_parse_arguments(B "" "TIMEOUT" "LABELS;CONFIGURE;CHECK" ${ARGN})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${build})
  add_test(NAME ${build}_configure WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    COMMAND ${CMAKE_COMMAND} -B ${folder} -Wno-dev -DCMAKE_UNITY_BUILD=ON ${B_CONFIGURE})
  add_test(NAME ${build} COMMAND ${CMAKE_COMMAND} --build ${folder})
  add_test(NAME ${check} COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${folder} --no-tests=error --output-on-failure ${B_CHECK})
  set_tests_properties(${build}_configure PROPERTIES FIXTURES_SETUP ${build}_configured)
  set_tests_properties(${build} PROPERTIES FIXTURES_REQUIRED ${build}_configured FIXTURES_SETUP ${build}_built)
  set_tests_properties(${check} PROPERTIES FIXTURES_REQUIRED ${build}_built)
  set_tests_properties(${build}_configure ${build} ${check} PROPERTIES LABELS "${B_LABELS}" RESOURCE_LOCK device_build TIMEOUT ${B_TIMEOUT})
endfunction()
