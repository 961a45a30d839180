# cmake -DBUILD=FOLDER -DEXAMPLES=FOLDER -DWORK=FOLDER -DCOMPILER=PROGRAM -DFLAGS=TEXT -DKOKKOS=FOLDER "-DRUN=EXAMPLE;..."
#   -P installed_examples.cmake
# Installs the emulator into a new prefix, builds a copy of the examples against it and runs one: what a stranger does.
function(must)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}: exit code ${code}\n${said}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
must(${CMAKE_COMMAND} --install ${BUILD} --component library --prefix ${WORK}/prefix)
file(COPY ${EXAMPLES}/ DESTINATION ${WORK}/examples)
must(${CMAKE_COMMAND} -S ${WORK}/examples -B ${WORK}/build -DCMAKE_PREFIX_PATH=${WORK}/prefix -DKokkos_DIR=${KOKKOS}
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS} -O0")
must(${CMAKE_COMMAND} --build ${WORK}/build)
foreach(example ${RUN})
  must(${CMAKE_COMMAND} -E env WAFERMARK_WAFERS=${WORK}/prefix/share/wafermark/inputs/wafers ${WORK}/build/${example} run)
endforeach()
file(REMOVE_RECURSE ${WORK})
