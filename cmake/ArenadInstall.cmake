# What `cmake --install` puts where. Included last, when all targets are known.
#
#   bin/                    arenad, arena-worker beside it, arena-keeper, arenactl, arena-chaos
#   include/arenad/         headers for games and clients
#   include/arenad/generated/   code that Cap'n Proto made of Arenad's own schemas
#   lib/                    the client library
#   lib/arenad/games/       tanks.so, the example game, and tanks_2.so, its second version
#   lib/arenad/chaos/       what arena-chaos plays with: the ledger in its versions, modules and programs that are refused, the disk that obeys
#   lib/arenad/python/      for games in Python: the host, the package that they import; bin/arenad-python is its command, lib/arenad/games/tanks_py.so an example
#   lib/cmake/Arenad/       find_package(Arenad): Arenad::game, Arenad::client, arenad_game(), arenad_schema()
#   lib/systemd/system/     arenad.service; arenad-metrics.socket and .service, a port for Prometheus; lib/sysusers.d/ has the user that it runs as (packaging/)
#   share/arenad/schema/    Arenad's schemas, for clients in other languages; arenad/results.capnp in it is what those of games import
#   share/arenad/prometheus/, share/arenad/grafana/     alert rules, and a dashboard
#   share/man/, share/doc/arenad/examples/arenad.toml   the manual, a configuration with every key (packaging/manual/)
#   share/bash-completion/, share/zsh/, share/fish/     what shells complete (packaging/completion/)
include(CMakePackageConfigHelpers)

set(ARENAD_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Arenad)
set(ARENAD_SCHEMA_DIR ${CMAKE_INSTALL_DATADIR}/arenad/schema)
set(ARENAD_PYTHON_TOOL ${CMAKE_INSTALL_BINDIR}/arenad-python)
set(ARENAD_GENERATED_DIR ${CMAKE_INSTALL_INCLUDEDIR}/arenad/generated)

# Names and needs that only the installed libraries have: in the tree, targets bring them along.
set_target_properties(arenad_game_api PROPERTIES EXPORT_NAME game)
set_target_properties(arenad_ipc PROPERTIES EXPORT_NAME client)
set_target_properties(arenad_ipc_schema PROPERTIES EXPORT_NAME client_schema)
target_compile_features(arenad_ipc INTERFACE cxx_std_20)
target_link_libraries(arenad_ipc INTERFACE $<INSTALL_INTERFACE:xxhash>)
target_include_directories(arenad_ipc_schema INTERFACE $<INSTALL_INTERFACE:${ARENAD_GENERATED_DIR}>)

install(TARGETS arenad arena-worker arena-keeper arenactl arena-chaos)
install(TARGETS tanks_module tanks_2_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/arenad/games)
if(ARENAD_PYTHON_GAMES)
  set(ARENAD_PYTHON_INSTALL_DIR ${CMAKE_INSTALL_LIBDIR}/arenad/python)
  install(TARGETS arenad_python_host arenad_python_extension LIBRARY DESTINATION ${ARENAD_PYTHON_INSTALL_DIR})
  install(DIRECTORY python/arenad DESTINATION ${ARENAD_PYTHON_INSTALL_DIR} FILES_MATCHING PATTERN "*.py" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)
  install(DIRECTORY worker/schema DESTINATION ${ARENAD_PYTHON_INSTALL_DIR} FILES_MATCHING PATTERN "*.capnp")
  install(FILES python/_arenad.pyi DESTINATION ${ARENAD_PYTHON_INSTALL_DIR})
  file(RELATIVE_PATH ARENAD_PYTHON_PATH_FROM_BIN ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR}/arenad/python)
  configure_file(python/arenad-python.in ${PROJECT_BINARY_DIR}/arenad-python @ONLY)
  install(PROGRAMS ${PROJECT_BINARY_DIR}/arenad-python DESTINATION ${CMAKE_INSTALL_BINDIR})
  # Not as a target: nobody may strip it of what lies behind its code.
  install(FILES ${PROJECT_BINARY_DIR}/games/tanks_py.so DESTINATION ${CMAKE_INSTALL_LIBDIR}/arenad/games)
endif()
install(TARGETS ${ARENAD_CHAOS_MODULES} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/arenad/chaos)
install(TARGETS ${ARENAD_BAD_ARENADS} RUNTIME DESTINATION ${CMAKE_INSTALL_LIBDIR}/arenad/chaos)
install(DIRECTORY ipc/include/ worker/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${ARENAD_VERSION_HEADER} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/arenad)
install(DIRECTORY $<TARGET_PROPERTY:arenad_ipc_schema,BINARY_DIR>/schema/ DESTINATION ${ARENAD_GENERATED_DIR}
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ipc/ DESTINATION ${ARENAD_SCHEMA_DIR} FILES_MATCHING PATTERN "*.capnp" PATTERN include EXCLUDE)
install(DIRECTORY worker/schema/ DESTINATION ${ARENAD_SCHEMA_DIR} FILES_MATCHING PATTERN "*.capnp")

install(TARGETS arenad_game_api arenad_ipc arenad_ipc_schema EXPORT ArenadTargets)
install(EXPORT ArenadTargets NAMESPACE Arenad:: DESTINATION ${ARENAD_PACKAGE_DIR})
configure_package_config_file(cmake/ArenadConfig.cmake.in ${PROJECT_BINARY_DIR}/ArenadConfig.cmake
  INSTALL_DESTINATION ${ARENAD_PACKAGE_DIR} PATH_VARS ARENAD_SCHEMA_DIR ARENAD_PYTHON_TOOL)
# Before 1.0, a minor version may break what was built against the one before.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ArenadConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/ArenadConfig.cmake ${PROJECT_BINARY_DIR}/ArenadConfigVersion.cmake
  cmake/ArenadSchema.cmake cmake/ArenadGame.cmake
  DESTINATION ${ARENAD_PACKAGE_DIR})
