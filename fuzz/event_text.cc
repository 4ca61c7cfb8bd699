// An event from quarantine as text (cli/event_text.h), with the types that its game declares: neither is believed.
#include "cli/event_text.h"

#include "fuzz/harness.h"
#include "fuzz/messages.h"
#include "ipc/crash.capnp.h"
#include "ipc/link.capnp.h"
#include "tests/support/game_schema.h"

namespace arenad::fuzz {
namespace {

std::span<const unsigned char> span_of(std::string_view bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

void run(std::string_view input) {
  Source source(input);
  const auto type = source.number<uint64_t>();
  const std::string_view schema = source.sized();
  const std::string_view event = source.rest();
  const auto text = cli::event_text(span_of(schema), type, span_of(event));
  if (!text) ARENAD_ASSERT(!text.error().message.empty());
}

template <class Type>
std::string seed(const std::string& event) {
  return Input().number(capnp::typeId<Type>()).sized(test::game_schema<Type>()).bytes(event).text();
}

std::vector<std::string> seeds() {
  return {seed<wire::EventRef>(segment<wire::EventRef>([](auto to) { to.setSequence(7); })),
          seed<wire::Param>(segment<wire::Param>([](auto to) { to.setKey("map"); })),
          seed<wire::StackFrame>(segment<wire::StackFrame>([](auto to) { to.setObject("tanks.so"); })),
          seed<wire::Forked>(segment<wire::Forked>([](auto to) { to.setPid(7); })),
          seed<wire::Retried>(segment<wire::Retried>([](auto to) { to.setNotApplied("why"); }))};
}

}  // namespace

extern const Harness event_text_harness;
const Harness event_text_harness{run, seeds, {}, 4096};

}  // namespace arenad::fuzz
