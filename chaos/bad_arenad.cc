// Programs that arenad must not give its place to, or that do not deserve it; each is this file with another MODE.
#include <cstdlib>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <capnp/message.h>

#include "ipc/link.h"
#include "ipc/process.h"
#include "ipc/upgrade.capnp.h"

namespace {

using namespace arenad;

// The last two say that they can take over, and go wrong when they have.
enum class Mode { crashes, is_silent, is_older, babbles, says_nothing, dies_in_its_place, hangs_in_its_place };

void wait_for_question(Link& link) {
  LinkMessage question;
  if (link.receive(question, Link::Wait::yes) != Link::Received::message) std::exit(1);
}

void answer(Link& link, void (*fill)(wire::CanTakeOverAnswer::Builder)) {
  capnp::MallocMessageBuilder message;
  fill(message.initRoot<wire::CanTakeOverAnswer>());
  if (!link.send(message)) std::exit(1);
}

// A message of words, and whoever waits for its end waits for ever.
[[noreturn]] void say(uint64_t word) {
  const std::vector<uint64_t> words(8, word);
  (void)::send(kLinkDescriptor, words.data(), words.size() * sizeof word, 0);
  for (;;) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_asked = std::string_view(argv[argc - 1]) == "--can-take-over";
  constexpr Mode mode = Mode::MODE;
  if (mode == Mode::crashes || (mode == Mode::dies_in_its_place && !is_asked)) std::abort();
  if (mode == Mode::is_silent || !is_asked) {
    for (;;) ::pause();
  }
  Link link{Fd(kLinkDescriptor)};
  wait_for_question(link);
  if (mode == Mode::babbles) say(0x5DEECE66D2B5A91F);
  if (mode == Mode::says_nothing) say(0);
  if (mode == Mode::is_older) {
    answer(link, [](auto to) { to.setRefused("the state is of version 7, and this program knows only 1"); });
  } else {
    answer(link, [](auto to) { to.setVersion("9.9.9"); });
  }
}
