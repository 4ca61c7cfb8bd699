#include "cli/history_table.h"

#include <pwd.h>
#include <sys/types.h>

#include "cli/arena_fields.h"
#include "cli/json_object.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

// As this machine knows the user now; the number, if it does not.
std::string user_text(uint32_t uid) {
  const passwd* user = ::getpwuid(static_cast<uid_t>(uid));
  return user != nullptr ? printable(user->pw_name) : std::to_string(uid);
}

Tone tone_of(const std::string& outcome) {
  if (outcome == "done") return Tone::good;
  return outcome == "open" ? Tone::changing : Tone::bad;
}

}  // namespace

Table history_table(capnp::List<wire::HistoryEntry>::Reader entries) {
  Table table(
      {{"ID", Align::right}, {"WHEN"}, {"USER"}, {"PID", Align::right}, {"VERB"}, {"SUBJECT"}, {"OUTCOME"}, {"DETAIL"}});
  for (const auto entry : entries) {
    const std::string outcome = text_of(entry.getOutcome());
    table.add_row({{std::to_string(entry.getId())},
                   {utc_ms_text(entry.getAtUnixMs())},
                   {user_text(entry.getUid())},
                   {std::to_string(entry.getPid())},
                   {printable(text_of(entry.getVerb()))},
                   {printable(text_of(entry.getSubject()))},
                   {printable(outcome), tone_of(outcome)},
                   {printable(text_of(entry.getDetail()))}});
  }
  return table;
}

std::string history_json(capnp::List<wire::HistoryEntry>::Reader entries) {
  Json json = object_with_schema();
  Json list = Json::array();
  for (const auto entry : entries) {
    list.push_back({{"id", entry.getId()},
                    {"at_unix_ms", entry.getAtUnixMs()},
                    {"pid", entry.getPid()},
                    {"uid", entry.getUid()},
                    {"gid", entry.getGid()},
                    {"verb", text_of(entry.getVerb())},
                    {"subject", text_of(entry.getSubject())},
                    {"outcome", text_of(entry.getOutcome())},
                    {"detail", text_of(entry.getDetail())}});
  }
  json["history"] = std::move(list);
  return line(json);
}

}  // namespace arenad::cli
