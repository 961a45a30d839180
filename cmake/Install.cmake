# A prefix that works on its own: bin/, share/wafermark/, and the emulator as a library.
include(CMakePackageConfigHelpers)
set(wafermark_programs_folder ${CMAKE_INSTALL_BINDIR})
if(WAFERMARK_CPU_LEVEL)  # where the launcher looks for it (common/cpu_levels.hpp)
  set(wafermark_programs_folder libexec/wafermark/${WAFERMARK_CPU_LEVEL})
endif()
install(TARGETS tungsten_md sparse_llama RUNTIME DESTINATION ${wafermark_programs_folder} COMPONENT programs)
include(InstallData)

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
