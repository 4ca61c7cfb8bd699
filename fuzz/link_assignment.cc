// An assignment as a worker takes it from its link (worker/assignment.h), with regions behind its descriptors in which anything may stand.
#include "fuzz/harness.h"
#include "fuzz/messages.h"
#include "fuzz/regions.h"
#include "worker/assignment.h"

namespace arenad::fuzz {
namespace {

// What comes with a message: one kind of memory for each descriptor.
struct Offered {
  WrittenRegion board{kPageBytes};
  WrittenRegion incarnation{kFirstPartOffset + 5 * kPageBytes};
  WrittenRegion channel{kChannelRingOffset};
  WrittenRegion checkpoint{kPageBytes};
};

Offered& offered() {
  static Offered* const made = [] {
    auto* all = new Offered;
    all->board.put(0, Input().number(kBoardMagic).number(kBoardLayoutVersion).text());
    IncarnationIdentity identity{};
    identity.magic = kIncarnationMagic;
    identity.layout_version = kIncarnationLayoutVersion;
    uint64_t at = kFirstPartOffset;
    for (Place* place : {&identity.frame_log, &identity.outputs, &identity.system, &identity.slots[0], &identity.slots[1]}) {
      *place = {at, kPageBytes};
      at += kPageBytes;
    }
    all->incarnation.put(0, {reinterpret_cast<const char*>(&identity), sizeof identity});
    return all;
  }();
  return *made;
}

Fd fd_of(char kind) {
  Offered& all = offered();
  switch (kind) {
    case 'b':
      return all.board.fd();
    case 'i':
      return all.incarnation.fd();
    case 'c':
      return all.channel.fd();
    case 's':
      return all.checkpoint.fd();
    default:
      return {};
  }
}

void run(std::string_view input) {
  Source source(input);
  const std::string_view kinds = source.bytes(source.number<uint8_t>() % 16);
  offered().checkpoint.put(0, source.sized());
  LinkMessage message;
  message.words = words_of(source.rest());
  for (const char kind : kinds) message.fds.push_back(fd_of(kind));
  try {
    std::optional<MessageView> view;
    const auto assignment = take_assignment(message.root<wire::Assign>(view), std::move(message.fds));
    if (!assignment) return;
    ARENAD_ASSERT(assignment.value().channels.size() < kinds.size());
    for (const AssignedChannel& channel : assignment.value().channels) ARENAD_ASSERT(channel.slot < limits::kMaxSlots);
    (void)assignment.value().board.durable_frame();
  } catch (const kj::Exception&) {
    return;  // the worker ends
  }
}

std::string seed(std::string_view kinds, const std::string& assign) {
  return Input().number(static_cast<uint8_t>(kinds.size())).bytes(kinds).sized(std::string(300, '\1')).bytes(assign).text();
}

std::vector<std::string> seeds() {
  return {seed("b", segment<wire::Assign>([](auto to) { to.setName("duel"); })), seed("bic", segment<wire::Assign>([](auto to) {
                                                                                        to.setHasPredecessor(true);
                                                                                        to.initChannels(1)[0].setPlayer("anna");
                                                                                        to.initQuarantined(1)[0].setSequence(7);
                                                                                        to.initParams(1)[0].setKey("map");
                                                                                      })),
          seed("biis", segment<wire::Assign>([](auto to) {
                 to.setHasPredecessor(true);
                 to.setWay(wire::Way::TAKE_BACK);
                 to.setHasCheckpoint(true);
               }))};
}

}  // namespace

extern const Harness link_assignment_harness;
const Harness link_assignment_harness{run, seeds, {"b", "i", "c", "s"}, 1024};

}  // namespace arenad::fuzz
