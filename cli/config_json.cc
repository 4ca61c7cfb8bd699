#include "cli/config_json.h"

#include "cli/arena_fields.h"
#include "cli/json_object.h"

namespace arenad::cli {
namespace {

Json text_or_null(capnp::Text::Reader text) {
  return text.size() == 0 ? Json() : Json(text_of(text));
}

Json number_or_null(uint32_t number) {
  return number == 0 ? Json() : Json(number);
}

Json takes_effect(wire::TakesEffect when) {
  switch (when) {
    case wire::TakesEffect::AT_ONCE:
      return "at-once";
    case wire::TakesEffect::WHEN_BEGUN:
      return "when-begun";
    case wire::TakesEffect::AFTER_RESTART:
      return "after-restart";
  }
  return Json();  // of a newer arenad
}

Json config_object(wire::ConfigReloaded::Reader reloaded) {
  Json changes = Json::array();
  for (const auto change : reloaded.getChanges()) {
    changes.push_back({{"key", text_of(change.getKey())},
                       {"from", text_or_null(change.getFrom())},
                       {"to", text_or_null(change.getTo())},
                       {"takes_effect", takes_effect(change.getTakesEffect())},
                       {"note", text_of(change.getNote())}});
  }
  Json problems = Json::array();
  for (const auto problem : reloaded.getProblems()) {
    problems.push_back({{"file", text_of(problem.getFile())},
                        {"line", number_or_null(problem.getLine())},
                        {"column", number_or_null(problem.getColumn())},
                        {"key", text_or_null(problem.getKey())},
                        {"message", text_of(problem.getMessage())}});
  }
  return {{"file", text_of(reloaded.getFile())},
          {"dry_run", reloaded.getDryRun()},
          {"changes", std::move(changes)},
          {"problems", std::move(problems)}};
}

}  // namespace

std::string config_json(wire::ConfigReloaded::Reader reloaded) {
  Json json = object_with_schema();
  json["config"] = config_object(reloaded);
  return line(json);
}

std::string config_json(wire::ConfigReloaded::Reader reloaded, const Error& error) {
  Json json = object_with_schema();
  json["config"] = config_object(reloaded);
  json["error"] = {{"code", to_string(error.code)}, {"message", error.text()}};
  return line(json);
}

}  // namespace arenad::cli
