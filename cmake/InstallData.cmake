# What lies beside the programs of a prefix: share/wafermark/{inputs,jobscripts,apps/report,...}, documents.
install(DIRECTORY inputs DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark)
install(DIRECTORY jobscripts DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
# The report finds the shipped results and the schema as it does in the source.
install(DIRECTORY apps/report DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/apps USE_SOURCE_PERMISSIONS
  PATTERN __pycache__ EXCLUDE)
# On the PATH, too; the script looks beside the file that the link leads to.
file(CREATE_LINK ../${CMAKE_INSTALL_DATADIR}/wafermark/apps/report/wafermark-report ${PROJECT_BINARY_DIR}/wafermark-report SYMBOLIC)
install(FILES ${PROJECT_BINARY_DIR}/wafermark-report DESTINATION bin)
install(FILES common/results/result.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/common/results)
install(DIRECTORY results/reference DESTINATION ${CMAKE_INSTALL_DATADIR}/wafermark/results)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
