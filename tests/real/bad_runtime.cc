// Worker programs that arenad cannot use: each is this file with another MODE.
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <capnp/message.h>

#include "ipc/board_layout.h"
#include "ipc/channel_layout.h"
#include "ipc/incarnation_layout.h"
#include "ipc/link.capnp.h"
#include "ipc/link.h"
#include "ipc/process.h"

namespace {

using namespace arenad;

enum class Mode {
  other_layout,    // of another arenad: its regions are laid out in another way
  nonsense_ready,  // it is ready, in a message that is none
  nonsense_spare,  // its workers send what is no message before anybody knows their pid
  wrong_spare,     // its workers say something else than that they are ready
  silent_spare,    // it never forks
  dies_at_fork,
};

void say_runtime(const Link& to_arenad) {
  capnp::MallocMessageBuilder message;
  auto runtime = message.initRoot<wire::FromTemplate>().initRuntime();
  runtime.setVersion("99.0");
  runtime.setLinkVersion(kLinkVersion);
  runtime.setIncarnationLayout(Mode::MODE == Mode::other_layout ? 77 : kIncarnationLayoutVersion);
  runtime.setChannelLayout(kChannelLayoutVersion);
  runtime.setBoardLayout(kBoardLayoutVersion);
  (void)const_cast<Link&>(to_arenad).send(message);
}

// The last word is missing, so that a pointer leads out of the message.
void send_cut(const Link& link, capnp::MessageBuilder& message) {
  const auto words = message.getSegmentsForOutput()[0];
  (void)!::send(link.fd().get(), words.begin(), (words.size() - 1) * sizeof(capnp::word), MSG_NOSIGNAL);
}

void say_ready(Link& to_arenad) {
  capnp::MallocMessageBuilder message;
  message.initRoot<wire::FromTemplate>().initReady().setVersion("a version that takes some words");
  if (Mode::MODE == Mode::nonsense_ready) return send_cut(to_arenad, message);
  (void)to_arenad.send(message);
}

void be_worker(Link to_arenad) {
  capnp::MallocMessageBuilder message;
  if (Mode::MODE == Mode::wrong_spare) {
    message.initRoot<wire::FromWorker>().initLive();
    (void)to_arenad.send(message);
  } else if (Mode::MODE == Mode::nonsense_spare) {
    message.initRoot<wire::FromWorker>().setNoMemory("a text that takes some words");
    send_cut(to_arenad, message);
  }
}

}  // namespace

int main() {
  Link link{Fd(kLinkDescriptor)};
  say_runtime(link);
  if (Mode::MODE == Mode::other_layout) {
    for (;;) ::pause();
  }
  say_ready(link);
  LinkMessage message;
  std::vector<Link> workers;
  while (link.receive(message, Link::Wait::yes) == Link::Received::message) {
    // On the spot: whoever hangs up first may be killed for that before it ends by itself.
    if (Mode::MODE == Mode::dies_at_fork) ::_exit(9);
    if (message.fds.empty()) continue;
    if (Mode::MODE == Mode::silent_spare) {
      workers.emplace_back(std::move(message.fds[0]));
    } else {
      be_worker(Link(std::move(message.fds[0])));
    }
  }
}
