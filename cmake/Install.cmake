# A prefix that works on its own: bin/, share/wafermark/{inputs,jobscripts}.
include(GNUInstallDirs)
install(TARGETS tungsten_md sparse_llama RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY inputs DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark)
install(DIRECTORY jobscripts DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
# The report finds inputs/clusters and the schema as it does in the source.
install(DIRECTORY apps/report DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/apps USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
install(FILES common/results/result.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/common/results)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
