#include "cli/event_text.h"

#include <exception>
#include <utility>

#include <capnp/pretty-print.h>
#include <kj/exception.h>
#include <kj/string-tree.h>

#include "cli/game_types.h"

namespace arenad::cli {

Result<EventText> event_text(std::span<const unsigned char> schema, uint64_t type, std::span<const unsigned char> message) {
  auto types = GameTypes::load(schema);
  if (!types) return types.error();
  auto found = types->find("the event", type);
  if (!found) return found.error();
  auto event = LookedThrough::read("the event", *found, message);
  if (!event) return event.error();
  try {
    const auto text = capnp::prettyPrint(event->root()).flatten();
    return EventText{short_name(*found), {text.begin(), text.size()}};
  } catch (const kj::Exception& exception) {
    return make_error(ErrorCode::corrupt, std::string("the event: ") + exception.getDescription().cStr());
  } catch (const std::exception& exception) {
    return make_error(ErrorCode::corrupt, std::string("the event: ") + exception.what());
  }
}

}  // namespace arenad::cli
