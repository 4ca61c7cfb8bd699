#include "cli/rollout_json.h"

#include "cli/arena_fields.h"
#include "cli/json_object.h"

namespace arenad::cli {
namespace {

Json failures_json(capnp::List<wire::RolloutFailure>::Reader failures) {
  Json json = Json::array();
  for (const auto failure : failures) {
    json.push_back(
        {{"id", text_of(failure.getId())}, {"name", text_of(failure.getName())}, {"why", text_of(failure.getWhy())}});
  }
  return json;
}

Json rollout_object(wire::Rollout::Reader rollout) {
  return {{"id", rollout.getId()},
          {"game", text_of(rollout.getGame())},
          {"from_version", text_of(rollout.getFromVersion())},
          {"from_code", text_of(rollout.getFromCode())},
          {"to_version", text_of(rollout.getToVersion())},
          {"to_code", text_of(rollout.getToCode())},
          {"from_runtime", text_of(rollout.getFromRuntime())},
          {"to_runtime", text_of(rollout.getToRuntime())},
          {"state", text_of(rollout.getState())},
          {"total", rollout.getTotal()},
          {"passed", rollout.getPassed()},
          {"on_probation", rollout.getOnProbation()},
          {"waiting", rollout.getWaiting()},
          {"gone", rollout.getGone()},
          {"pinned", rollout.getPinned()},
          {"failures", failures_json(rollout.getFailures())},
          {"elapsed_ms", rollout.getElapsedMs()},
          {"is_over", rollout.getIsOver()}};
}

}  // namespace

std::string rollout_json(wire::Rollout::Reader rollout) {
  Json json = object_with_schema();
  json["rollout"] = rollout_object(rollout);
  return line(json);
}

std::string rollout_json(wire::Rollout::Reader rollout, const Error& error) {
  Json json = object_with_schema();
  json["rollout"] = rollout_object(rollout);
  json["error"] = {{"code", to_string(error.code)}, {"message", error.text()}};
  return line(json);
}

std::string rollouts_json(capnp::List<wire::Rollout>::Reader rollouts) {
  Json json = object_with_schema();
  json["rollouts"] = Json::array();
  for (const auto rollout : rollouts) json["rollouts"].push_back(rollout_object(rollout));
  return line(json);
}

std::string game_versions_json(capnp::List<wire::GameVersion>::Reader versions) {
  Json json = object_with_schema();
  json["versions"] = Json::array();
  for (const auto version : versions) {
    json["versions"].push_back({{"game", text_of(version.getGame())},
                                {"version", text_of(version.getVersion())},
                                {"code", text_of(version.getCode())},
                                {"file", text_of(version.getFile())},
                                {"runtime", text_of(version.getRuntime())},
                                {"runtime_version", text_of(version.getRuntimeVersion())},
                                {"current", version.getCurrent()},
                                {"previous", version.getPrevious()},
                                {"configured", version.getConfigured()},
                                {"arenas", version.getArenas()}});
  }
  return line(json);
}

}  // namespace arenad::cli
