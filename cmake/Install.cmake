# A prefix that works on its own: bin/, share/wafermark/{inputs,jobscripts}.
include(GNUInstallDirs)
install(TARGETS tungsten_md RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY inputs DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark)
install(DIRECTORY jobscripts DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark USE_SOURCE_PERMISSIONS)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
