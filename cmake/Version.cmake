# The commit that a result names. Read at configure time; a tree without git says "unknown".
execute_process(COMMAND git -C ${CMAKE_CURRENT_SOURCE_DIR} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE WAFERMARK_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT WAFERMARK_COMMIT)
  set(WAFERMARK_COMMIT unknown)
endif()
