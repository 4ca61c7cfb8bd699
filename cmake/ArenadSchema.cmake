# arenad_schema(TARGET file.capnp...): makes a static library TARGET of the C++ code generated from Cap'n Proto schemas.
# A schema x.capnp in folder dir/ is included as "dir/x.capnp.h", relative to IMPORT_ROOT (default: the project's source folder).
# It may import "/arenad/results.capnp", with which a game says how its results add up.
function(arenad_schema target)
  cmake_parse_arguments(ARG "" "IMPORT_ROOT" "" ${ARGN})
  if(NOT ARG_IMPORT_ROOT)
    set(ARG_IMPORT_ROOT ${PROJECT_SOURCE_DIR})
  endif()
  get_property(arenad_schemas GLOBAL PROPERTY ARENAD_SCHEMAS)
  set(output_root ${CMAKE_CURRENT_BINARY_DIR}/schema)
  set(generated)
  foreach(file ${ARG_UNPARSED_ARGUMENTS})
    get_filename_component(path ${file} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    file(RELATIVE_PATH relative ${ARG_IMPORT_ROOT} ${path})
    set(base ${output_root}/${relative})
    add_custom_command(
      OUTPUT ${base}.c++ ${base}.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${output_root}
      # By the variables, not the imported targets, which Debian 12's package looks for in the wrong folder.
      COMMAND ${CAPNP_EXECUTABLE} compile -o ${CAPNPC_CXX_EXECUTABLE}:${output_root} --src-prefix=${ARG_IMPORT_ROOT}
        -I${ARG_IMPORT_ROOT} -I${arenad_schemas} -I${CAPNP_INCLUDE_DIRECTORY} ${path}
      DEPENDS ${path} ${arenad_schemas}/arenad/results.capnp
      COMMENT "Cap'n Proto ${relative}"
      VERBATIM)
    list(APPEND generated ${base}.c++)
  endforeach()
  add_library(${target} STATIC ${generated})
  target_compile_options(${target} PRIVATE -w)
  # Modules link it, whatever the project says about its own code.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} SYSTEM PUBLIC $<BUILD_INTERFACE:${output_root}>)
  target_link_libraries(${target} PUBLIC CapnProto::capnp)
endfunction()
