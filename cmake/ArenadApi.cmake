# Arenad::game: what a game module is compiled against. Headers only, because the host gives a module everything else
# through the table of module_abi.h; a module built with one Arenad runs in any that speaks the same version of it.
set(ARENAD_VERSION_HEADER ${PROJECT_BINARY_DIR}/include/arenad/version.h)
configure_file(${PROJECT_SOURCE_DIR}/cmake/version.h.in ${ARENAD_VERSION_HEADER} @ONLY)
add_library(arenad_game_api INTERFACE)
add_library(Arenad::game ALIAS arenad_game_api)
target_compile_features(arenad_game_api INTERFACE cxx_std_20)
target_include_directories(arenad_game_api INTERFACE
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/worker/include>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/ipc/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(arenad_game_api INTERFACE CapnProto::capnp)
