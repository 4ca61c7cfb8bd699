#include "cli/json.h"

#include <charconv>
#include <fmt/format.h>

#include "cli/json_object.h"
#include "cli/program_version.h"
#include "ipc/control_client.h"
#include "ipc/histogram.h"

namespace arenad::cli {
namespace {

Json failure(ErrorCode code, const std::string& message) {
  return {{"code", to_string(code)}, {"message", message}};
}

struct ToJson {
  Json operator()(Absent) const { return nullptr; }
  Json operator()(const std::string& text) const { return text; }
  Json operator()(uint64_t count) const { return count; }
  Json operator()(bool flag) const { return flag; }
  Json operator()(Bytes bytes) const { return bytes.value; }
  Json operator()(UnixMs time) const { return time.value; }
  Json operator()(const Code& code) const { return code.hash; }
  Json operator()(Percent share) const { return share.value; }
  Json operator()(RestartCount count) const { return count.in_window; }
  template <class Rep, class Period>
  Json operator()(std::chrono::duration<Rep, Period> duration) const {
    return duration.count();
  }
};

Json number_of(const std::string& text) {
  uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && at == text.data() + text.size() ? Json(number) : Json();
}

Json item_json(wire::Item::Reader item) {
  Json json{{"id", text_of(item.getId())}, {"name", text_of(item.getName())}};
  if (item.isError()) {
    json["error"] = failure(error_code_of(item.getError().getCode()), text_of(item.getError().getMessage()));
  } else {
    json["ok"] = text_of(item.getOk());
  }
  return json;
}

Json daemon_json(wire::DaemonStatus::Reader daemon) {
  Json notices = Json::array();
  for (const auto notice : daemon.getNotices()) notices.push_back(text_of(notice));
  return {{"version", text_of(daemon.getVersion())},
          {"pid", daemon.getPid()},
          {"uptime_ms", daemon.getUptimeMs()},
          {"configuration", text_of(daemon.getConfiguration())},
          {"running", daemon.getRunning()},
          {"clients", daemon.getClients()},
          {"checkpoint_lag_ms", daemon.getCheckpointLagMs()},
          {"checkpoint_alarm", daemon.getCheckpointAlarm()},
          {"store_error", text_of(daemon.getStoreError())},
          {"shared_memory_bytes", daemon.getSharedMemoryBytes()},
          {"draining", daemon.getDraining()},
          {"recoveries", daemon.getRecoveries()},
          {"notices", std::move(notices)}};
}

Json params_json(capnp::List<wire::Param>::Reader params) {
  Json json = Json::object();
  for (const auto param : params) json[text_of(param.getKey())] = text_of(param.getValue());
  return json;
}

Json channels_json(capnp::List<wire::ChannelStatus>::Reader channels) {
  Json json = Json::array();
  for (const auto channel : channels) {
    json.push_back({{"seat", channel.getSeat()},
                    {"player", text_of(channel.getPlayer())},
                    {"applied", channel.getApplied()},
                    {"rejected", channel.getRejected()},
                    {"waiting_bytes", channel.getWaitingBytes()},
                    {"kept_bytes", channel.getKeptBytes()},
                    {"output_lag_bytes", channel.getOutputLagBytes()}});
  }
  return json;
}

// Only what was counted, each with the longest lateness that its bucket holds.
Json lateness_json(capnp::List<uint64_t>::Reader counts) {
  Json json = Json::array();
  if (counts.size() != kHistogramBuckets) return json;
  for (uint32_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    json.push_back({{"up_to_us", histogram_upper(bucket)}, {"frames", counts[bucket]}});
  }
  return json;
}

Json all_of_arena_json(const ArenaAt& arena) {
  Json json = Json::object();
  for (const ArenaField& field : all_arena_fields()) {
    json[std::string(field.key)] = std::visit(ToJson{}, field.value(arena));
  }
  json["params"] = params_json(arena.status.getParams());
  json["channels"] = channels_json(arena.status.getChannels());
  json["lateness"] = lateness_json(arena.status.getLateness());
  return json;
}

Json arena_json(const ArenaAt& arena, const std::vector<const ArenaField*>& columns) {
  if (columns.empty()) return all_of_arena_json(arena);
  Json json = Json::object();
  for (const ArenaField* field : columns) json[std::string(field->key)] = std::visit(ToJson{}, field->value(arena));
  return json;
}

}  // namespace

std::string error_json(const Error& error) {
  Json json = object_with_schema();
  json["error"] = failure(error.code, error.text());
  return line(json);
}

std::string started_json(wire::Started::Reader started) {
  Json json = object_with_schema();
  json["id"] = text_of(started.getId());
  json["name"] = text_of(started.getName());
  json["already_running"] = started.getAlreadyRunning();
  return line(json);
}

std::string items_json(capnp::List<wire::Item>::Reader items) {
  Json json = object_with_schema();
  json["items"] = Json::array();
  for (const auto item : items) json["items"].push_back(item_json(item));
  return line(json);
}

std::string numbered_items_json(capnp::List<wire::Item>::Reader items) {
  Json json = object_with_schema();
  json["items"] = Json::array();
  for (const auto item : items) {
    Json numbered = item_json(item);
    numbered["id"] = number_of(text_of(item.getId()));
    json["items"].push_back(std::move(numbered));
  }
  return line(json);
}

std::string status_json(const StatusAnswer& answer) {
  Json json = object_with_schema();
  json["daemon"] = daemon_json(answer.status.getDaemon());
  json["arenas"] = Json::array();
  for (const auto arena : answer.status.getArenas()) {
    json["arenas"].push_back(arena_json({arena, answer.now_unix_ms}, answer.columns));
  }
  json["unknown"] = answer.unknown;
  return line(json);
}

std::string exported_json(const std::string& arena, const std::string& file, uint64_t bytes) {
  Json json = object_with_schema();
  json["arena"] = arena;
  json["file"] = file;
  json["bytes"] = bytes;
  return line(json);
}

std::string version_json(wire::Version::Reader daemon) {
  Json json = object_with_schema();
  json["arenactl"] = kProgramVersion;
  json["protocol"] = wire::PROTOCOL_VERSION;
  json["daemon"] = {{"program", text_of(daemon.getProgram())},
                    {"protocol", daemon.getProtocol()},
                    {"pid", daemon.getPid()},
                    {"uptime_ms", daemon.getUptimeMs()}};
  return line(json);
}

}  // namespace arenad::cli
