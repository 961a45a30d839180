# The commit that a result names, asked at every build: one that was asked when the folder was configured would name the
# commit before the last.
set(wafermark_commit_folder ${PROJECT_BINARY_DIR}/commit)
add_custom_target(wafermark_commit
  BYPRODUCTS ${wafermark_commit_folder}/wafermark_commit.hpp
  COMMAND ${CMAKE_COMMAND} -D source=${PROJECT_SOURCE_DIR} -D header=${wafermark_commit_folder}/wafermark_commit.hpp
          -P ${PROJECT_SOURCE_DIR}/cmake/WriteCommit.cmake
  COMMENT "Commit" VERBATIM)
