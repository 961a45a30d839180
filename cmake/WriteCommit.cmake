# Writes `header`, which says the commit that `source` is at ("unknown" without git), if that is not what it says already.
execute_process(COMMAND git -C ${source} describe --always --dirty --abbrev=12
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${header} CONTENT "#define WAFERMARK_COMMIT \"@commit@\"\n" @ONLY)
