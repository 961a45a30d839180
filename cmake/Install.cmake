# A prefix that works on its own: bin/, share/wafermark/{inputs,jobscripts}, and the emulator as a library.
include(CMakePackageConfigHelpers)
install(TARGETS tungsten_md sparse_llama RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY inputs DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark)
install(DIRECTORY jobscripts DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
# The report finds the shipped results and the schema as it does in the source.
install(DIRECTORY apps/report DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/apps USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
install(FILES common/results/result.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/common/results)
install(DIRECTORY results/reference DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/results)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The emulator for programs of one's own (cmake/WafermarkConfig.cmake.in). This component alone:
#   cmake --install BUILD --component library --prefix PREFIX
set(wafermark_package ${CMAKE_INSTALL_LIBDIR}/cmake/Wafermark)
set(wafermark_wafers ${CMAKE_INSTALL_DATADIR}/wafermark/inputs/wafers)
foreach(target common wse_emulator wse_router_reference hdf5)
  set_target_properties(wafermark_${target} PROPERTIES EXPORT_NAME ${target})
endforeach()
install(TARGETS wafermark_common wafermark_wse_emulator wafermark_wse_router_reference wafermark_hdf5
  EXPORT WafermarkTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY common wse_emulator DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wafermark COMPONENT library
  FILES_MATCHING PATTERN "*.hpp" PATTERN examples EXCLUDE)
install(DIRECTORY inputs/wafers DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/inputs COMPONENT library)
install(EXPORT WafermarkTargets NAMESPACE Wafermark:: DESTINATION ${wafermark_package} COMPONENT library)
configure_package_config_file(cmake/WafermarkConfig.cmake.in ${PROJECT_BINARY_DIR}/WafermarkConfig.cmake
  INSTALL_DESTINATION ${wafermark_package} PATH_VARS wafermark_wafers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/WafermarkConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/WafermarkConfig.cmake ${PROJECT_BINARY_DIR}/WafermarkConfigVersion.cmake
  DESTINATION ${wafermark_package} COMPONENT library)
