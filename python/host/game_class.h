// The game that this module carries: its class in Python, and what of it arenad is told (module_abi.h).
#pragma once

#include <cstdint>
#include <map>
#include <pybind11/pybind11.h>
#include <string>

#include "arenad/module_abi.h"
#include "python/typed/layout.h"

namespace arenad::python {

namespace py = pybind11;

struct GameClass {
  py::object type;
  std::string name;
  std::string version;
  const typed::StructType* state = nullptr;
  std::map<uint64_t, const typed::StructType*> events;  // by Cap'n Proto type id
  uint64_t schema_hash = 0;
  kj::Array<capnp::word> schema;
  py::object refused;  // the class of exceptions that are answers: arenad.Refused
  bool migrates = false;
  bool quarantines = false;  // an event that has raised is left out at once
  arenad_arena_options defaults{};
  uint64_t max_state_bytes = 0;
  uint64_t max_frame_output_bytes = 0;
};

// Imports the package that is in the module's file. Throws py::error_already_set with whatever the game has raised.
GameClass load_game(const std::string& package);

}  // namespace arenad::python
