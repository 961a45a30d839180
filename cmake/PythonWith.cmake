# wafermark_python_with(OUT module...): the first Python 3 that imports all the modules, or OUT-NOTFOUND. The first
# python3 of PATH (a version manager, a module) often lacks what the distribution's own has. -DWAFERMARK_PYTHON=...
# or the environment variable of that name comes first.
function(wafermark_python_with out)
  string(REPLACE ";" "," modules "${ARGN}")
  set(${out} ${out}-NOTFOUND PARENT_SCOPE)
  foreach(python ${WAFERMARK_PYTHON} $ENV{WAFERMARK_PYTHON} python3 /usr/bin/python3)
    execute_process(COMMAND ${python} -c "import ${modules}" RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
      set(${out} ${python} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(STATUS "No Python with ${modules}: what needs it is skipped (-DWAFERMARK_PYTHON=...)")
endfunction()
