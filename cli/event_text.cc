#include "cli/event_text.h"

#include <capnp/pretty-print.h>
#include <kj/string-tree.h>

#include "cli/game_types.h"
#include "cli/message_json.h"

namespace arenad::cli {

Result<EventText> event_text(std::span<const unsigned char> schema, uint64_t type, std::span<const unsigned char> message,
                             std::string_view what) {
  auto types = GameTypes::load(schema);
  if (!types) return types.error();
  auto found = types->find(what, type);
  if (!found) return found.error();
  auto looked_through = LookedThrough::read(what, *found, message);
  if (!looked_through) return looked_through.error();
  return reading(what, [&]() -> Result<EventText> {
    const auto text = capnp::prettyPrint(looked_through->root()).flatten();
    return EventText{short_name(*found), {text.begin(), text.size()}};
  });
}

}  // namespace arenad::cli
