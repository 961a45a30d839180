# In builds with AddressSanitizer (preset asan) every program keeps its plugins loaded, see the source file.
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[^ ]*address")
  add_library(wafermark_keep_libraries SHARED ${PROJECT_SOURCE_DIR}/tests/sanitizers/keep_libraries.cpp)
  link_libraries($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:wafermark_keep_libraries>)
endif()
