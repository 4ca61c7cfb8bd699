# arenad_game(NAME SOURCES a.cc... SCHEMAS a.capnp... [LIBRARIES lib...]): makes a game module NAME.so that arena-worker loads.
# The schemas become a library NAME_schema, which a game's clients link as well.
function(arenad_game name)
  cmake_parse_arguments(ARG "" "IMPORT_ROOT" "SOURCES;SCHEMAS;LIBRARIES" ${ARGN})
  if(NOT ARG_SOURCES)
    message(FATAL_ERROR "arenad_game(${name}): SOURCES is missing")
  endif()
  if(ARG_SCHEMAS)
    if(NOT ARG_IMPORT_ROOT)
      set(ARG_IMPORT_ROOT ${CMAKE_CURRENT_SOURCE_DIR})
    endif()
    arenad_schema(${name}_schema ${ARG_SCHEMAS} IMPORT_ROOT ${ARG_IMPORT_ROOT})
  endif()
  add_library(${name}_module MODULE ${ARG_SOURCES})
  set_target_properties(${name}_module PROPERTIES PREFIX "" OUTPUT_NAME ${name} CXX_VISIBILITY_PRESET hidden
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/games)
  target_compile_features(${name}_module PRIVATE cxx_std_20)
  # Every replay must give the same state bit for bit: no contraction of floating point operations.
  target_compile_options(${name}_module PRIVATE -ffp-contract=off)
  target_link_libraries(${name}_module PRIVATE Arenad::game $<TARGET_NAME_IF_EXISTS:${name}_schema> ${ARG_LIBRARIES})
endfunction()
