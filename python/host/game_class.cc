#include "python/host/game_class.h"

#include <stdexcept>
#include <vector>

#include "arenad/game_table.h"
#include "python/typed/module.h"

namespace arenad::python {
namespace {

const typed::StructType& struct_named(const py::handle& type) {
  const typed::StructType* found = typed::struct_type(type.ptr());
  if (found == nullptr) throw py::error_already_set();
  return *found;
}

}  // namespace

GameClass load_game(const std::string& package) {
  GameClass game;
  game.type = py::module_::import("arenad.host").attr("load")(package);
  const py::object base = py::module_::import("arenad.game").attr("Game");
  game.refused = py::module_::import("arenad.game").attr("Refused");
  game.name = py::cast<std::string>(game.type.attr("name"));
  game.version = py::cast<std::string>(game.type.attr("version"));
  game.defaults = {py::cast<uint32_t>(game.type.attr("tick_hz")), py::cast<uint32_t>(game.type.attr("max_players"))};
  game.max_state_bytes = py::cast<uint64_t>(game.type.attr("max_state_bytes"));
  game.max_frame_output_bytes = py::cast<uint64_t>(game.type.attr("max_frame_output_bytes"));
  game.migrates = !game.type.attr("on_migrate").is(base.attr("on_migrate"));
  game.quarantines = py::cast<std::string>(game.type.attr("on_exception")) == "quarantine";
  game.state = &struct_named(game.type.attr("State"));
  game.schema_hash = detail::schema_hash(game.state->schema);
  std::vector<const typed::StructType*> roots{game.state};
  for (const py::handle type : game.type.attr("Events")) {
    const typed::StructType& event = struct_named(type);
    game.events.emplace(event.id, &event);
    roots.push_back(&event);
  }
  for (const py::handle type : game.type.attr("Results")) roots.push_back(&struct_named(type));
  game.schema = typed::game_schema(roots);
  return game;
}

}  // namespace arenad::python
