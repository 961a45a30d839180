# Includes point where links point: a file may include headers of its own folder, and of the folders whose targets its
# target links, directly or through others. Anything else is a build error, also where only the header is used and the
# linker would never notice.

# Folders of this project that `target` reaches by its links, into `out`.
function(wafermark_reached_folders target out)
  set(folders "")
  set(todo ${target})
  set(seen "")
  while(todo)
    list(POP_FRONT todo t)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" t "${t}")
    if(NOT TARGET ${t} OR ${t} IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${t})
    get_target_property(real ${t} ALIASED_TARGET)
    if(real)
      list(APPEND todo ${real})
      continue()
    endif()
    get_target_property(imported ${t} IMPORTED)
    if(imported)
      continue()
    endif()
    get_target_property(folder ${t} SOURCE_DIR)
    list(APPEND folders ${folder})
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(links ${t} ${property})
      if(links)
        list(APPEND todo ${links})
      endif()
    endforeach()
  endwhile()
  list(REMOVE_DUPLICATES folders)
  set(${out} ${folders} PARENT_SCOPE)
endfunction()

# Call when all targets of `targets` are defined.
function(wafermark_check_layers)
  set(map "")
  set(files "")
  foreach(target ${ARGN})
    get_target_property(folder ${target} SOURCE_DIR)
    wafermark_reached_folders(${target} reached)
    list(TRANSFORM reached REPLACE "^${PROJECT_SOURCE_DIR}/(apps/)?" "")
    file(GLOB own ${folder}/*.cpp ${folder}/*.hpp ${folder}/*/*.cpp ${folder}/*/*.hpp)
    list(APPEND files ${own})
    list(JOIN own "," own)
    list(JOIN reached "," reached)
    list(APPEND map "${own}|${reached}")
  endforeach()
  list(JOIN map "\n" map)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/layers.txt CONTENT "${map}\n" @ONLY)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/layers.checked
    COMMAND ${CMAKE_COMMAND} -DMAP=${PROJECT_BINARY_DIR}/layers.txt -DROOT=${PROJECT_SOURCE_DIR}
            -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayers.cmake
    COMMAND ${CMAKE_COMMAND} -E touch ${PROJECT_BINARY_DIR}/layers.checked
    DEPENDS ${files} ${PROJECT_BINARY_DIR}/layers.txt ${PROJECT_SOURCE_DIR}/cmake/CheckLayers.cmake
    COMMENT "Checking that includes follow links" VERBATIM)
  add_custom_target(wafermark_layers ALL DEPENDS ${PROJECT_BINARY_DIR}/layers.checked)
endfunction()
