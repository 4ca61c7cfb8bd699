// A result by the names of its fields (cli/result_reader.h), with the types that its game declares: neither is believed. What was read is grouped and
// made into a table and JSON, as arenactl does it.
#include <algorithm>

#include "cli/result_groups.h"
#include "cli/result_reader.h"
#include "cli/result_table.h"
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
  const std::string_view message = source.rest();
  auto reader = cli::ResultReader::load(span_of(schema));
  if (!reader) {
    ARENAD_ASSERT(!reader.error().message.empty());
    return;
  }
  cli::ResultRow row;
  auto read = reader->read(type, span_of(message));
  if (!read) {
    ARENAD_ASSERT(!read.error().message.empty());
    return;
  }
  ARENAD_ASSERT(read->values.size() == read->type->fields.size());
  row.fields_type = read->type;
  row.values = std::move(read->values);
  cli::ResultGroups groups("type");
  groups.add(row);
  groups.add(row);
  const auto sorted = groups.sorted("");
  ARENAD_ASSERT(sorted && sorted.value().size() == 1 && sorted.value()[0].count == 2);
  const std::string table = cli::result_table({row}, groups.columns()).text(cli::Colour::none, cli::Header::shown);
  ARENAD_ASSERT(std::count(table.begin(), table.end(), '\n') == 2);
  ARENAD_ASSERT(!cli::results_json({row}, {}, {}).empty());
}

template <class Type>
std::string seed(const std::string& message) {
  return Input().number(capnp::typeId<Type>()).sized(test::game_schema<Type>()).bytes(message).text();
}

std::vector<std::string> seeds() {
  return {seed<wire::EventRef>(segment<wire::EventRef>([](auto to) { to.setSequence(7); })),
          seed<wire::Param>(segment<wire::Param>([](auto to) { to.setKey("map"); })),
          seed<wire::Retried>(segment<wire::Retried>([](auto to) { to.setNotApplied("why"); })),
          seed<wire::Selection>(segment<wire::Selection>([](auto to) { to.initArenas(2).set(0, "duel"); }))};
}

}  // namespace

extern const Harness result_values_harness;
const Harness result_values_harness{run, seeds, {}, 4096};

}  // namespace arenad::fuzz
