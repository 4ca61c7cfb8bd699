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

# arenad_python_game(NAME FOLDER folder [SCHEMAS a.capnp...]): packs the game in Python that is in folder as NAME.so. SCHEMAS: those that lie elsewhere, and are put into
# the package.
function(arenad_python_game name)
  cmake_parse_arguments(ARG "" "FOLDER" "SCHEMAS" ${ARGN})
  if(NOT ARG_FOLDER)
    message(FATAL_ERROR "arenad_python_game(${name}): FOLDER is missing")
  endif()
  get_filename_component(folder ${ARG_FOLDER} ABSOLUTE)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.py ${folder}/*.capnp)
  set(schemas)
  foreach(schema ${ARG_SCHEMAS})
    get_filename_component(path ${schema} ABSOLUTE)
    list(APPEND sources ${path})
    list(APPEND schemas --schema ${path})
  endforeach()
  set(output ${PROJECT_BINARY_DIR}/games/${name}.so)
  add_custom_command(OUTPUT ${output}
    COMMAND ${ARENAD_PYTHON_COMMAND} pack ${folder} -o ${output} ${schemas}
    DEPENDS ${sources} ${ARENAD_PYTHON_COMMAND_NEEDS}
    COMMENT "Packing ${name}"
    VERBATIM)
  add_custom_target(${name}_game ALL DEPENDS ${output})
endfunction()
