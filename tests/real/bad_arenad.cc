// Programs that arenad must not give its place to; each is this file with another MODE.
#include <cstdlib>
#include <unistd.h>

#include <capnp/message.h>

#include "ipc/link.h"
#include "ipc/process.h"
#include "ipc/upgrade.capnp.h"

namespace {

enum class Mode { crashes, is_silent, is_older };

// As a program of an earlier format would.
int refuse() {
  using namespace arenad;
  Link link{Fd(kLinkDescriptor)};
  LinkMessage question;
  if (link.receive(question, Link::Wait::yes) != Link::Received::message) return 1;
  capnp::MallocMessageBuilder message;
  message.initRoot<wire::CanTakeOverAnswer>().setRefused("the state is of version 7, and this program knows only 1");
  return link.send(message) ? 0 : 1;
}

}  // namespace

int main() {
  switch (Mode::MODE) {
    case Mode::crashes:
      std::abort();
    case Mode::is_silent:
      for (;;) ::pause();
    case Mode::is_older:
      return refuse();
  }
}
