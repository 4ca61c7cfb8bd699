// Whether one version's state can be read by another (worker/state_compatibility.h): both schemas come out of game modules.
#include "fuzz/harness.h"
#include "fuzz/messages.h"
#include "ipc/crash.capnp.h"
#include "ipc/link.capnp.h"
#include "tests/support/game_schema.h"
#include "worker/state_compatibility.h"

namespace arenad::fuzz {
namespace {

std::span<const unsigned char> span_of(std::string_view bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

void run(std::string_view input) {
  Source source(input);
  StateSchema written;
  StateSchema read;
  written.state_type = source.number<uint64_t>();
  read.state_type = source.number<uint64_t>();
  const bool are_same = source.number<uint8_t>() == 0;
  written.schema = span_of(source.sized());
  read.schema = are_same ? written.schema : span_of(source.rest());
  const auto fits = state_fits(written, read);
  if (!fits) ARENAD_ASSERT(!fits.error().message.empty());
  // A type fits itself, if it can be read at all.
  if (are_same && written.state_type == read.state_type && !fits) ARENAD_ASSERT(fits.error().code == ErrorCode::corrupt);
}

template <class Written, class Read>
std::string seed(bool are_same) {
  Input input;
  input.number(capnp::typeId<Written>()).number(capnp::typeId<Read>()).number(static_cast<uint8_t>(are_same ? 0 : 1));
  return input.sized(test::game_schema<Written>()).bytes(test::game_schema<Read>()).text();
}

std::vector<std::string> seeds() {
  return {seed<wire::EventRef, wire::EventRef>(true), seed<wire::Param, wire::Param>(false),
          seed<wire::Retried, wire::Retried>(true), seed<wire::Forked, wire::Leave>(false),
          seed<wire::StackFrame, wire::StackFrame>(true)};
}

}  // namespace

extern const Harness state_schema_harness;
const Harness state_schema_harness{run, seeds, {}, 4096};

}  // namespace arenad::fuzz
