#include "cli/game_version_table.h"

#include "cli/arena_fields.h"
#include "cli/code_text.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

std::string state_text(wire::GameVersion::Reader version) {
  std::string text;
  const auto add_if = [&](bool is_so, std::string_view word) {
    if (is_so) text.append(text.empty() ? "" : ",").append(word);
  };
  add_if(version.getCurrent(), "current");
  add_if(version.getPrevious(), "previous");
  add_if(version.getConfigured(), "configured");
  return text;
}

std::string runtime_text(wire::GameVersion::Reader version) {
  const std::string own = text_of(version.getRuntimeVersion());
  const std::string code = text_of(version.getRuntime());
  return own.empty() && code.empty() ? "" : version_label(own, code);
}

}  // namespace

Table game_version_table(capnp::List<wire::GameVersion>::Reader versions) {
  Table table({{"GAME"}, {"VERSION"}, {"CODE"}, {"RUNTIME"}, {"STATE"}, {"ARENAS", Align::right}, {"FILE"}});
  for (const auto version : versions) {
    table.add_row({{printable(text_of(version.getGame()))},
                   {printable(text_of(version.getVersion()))},
                   {printable(short_code(text_of(version.getCode())))},
                   {runtime_text(version)},
                   {state_text(version), version.getCurrent() ? Tone::good : Tone::plain},
                   {std::to_string(version.getArenas())},
                   {printable(text_of(version.getFile()))}});
  }
  return table;
}

}  // namespace arenad::cli
