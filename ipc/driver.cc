#include "arenad/driver.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/driver_link.h"
#include "ipc/fd.h"
#include "ipc/incarnation.h"

namespace arenad {
namespace {

constexpr uint64_t kAttachTimeoutMs = 60'000;
constexpr uint64_t kWaitMs = 1;

template <size_t N>
void put(char (&into)[N], const std::string& text) {
  if (into[0] != '\0') return;
  std::snprintf(into, N, "%s", text.c_str());
}

class Drive {
 public:
  Drive(Attachment& attachment, Driver& driver) : attachment_(attachment), driver_(driver) {
    attachment_.on_incarnation([this](int region_fd, Epoch) {
      if (auto view = IncarnationView::map(Fd(::fcntl(region_fd, F_DUPFD_CLOEXEC, 0)))) {
        report_.worker = static_cast<int32_t>(view->pid());
      }
    });
  }

  void run() {
    while (takes_orders()) {
      while (owed_ > 0 && report_.gone[0] == '\0' && says()) --owed_;
      attachment_.wait(kWaitMs);
      hear();
      report();
    }
  }

 private:
  bool takes_orders() {
    for (char byte = 0;;) {
      const ssize_t got = ::recv(kDriverDescriptor, &byte, 1, MSG_DONTWAIT);
      if (got == 0) return false;
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      ++owed_;
    }
  }
  bool says() {
    const Sent sent = driver_.say(attachment_);
    if (sent == Sent::ok) ++report_.said;
    return sent == Sent::ok;
  }
  void hear() {
    for (;;) {
      switch (attachment_.receive()) {
        case Incoming::none:
          return;
        case Incoming::output:
          take(attachment_.output());
          break;
        case Incoming::lagged:
          put(report_.complaint,
              std::to_string(attachment_.lag()) + " bytes of outputs were overwritten before they were read");
          break;
        case Incoming::rejected:
          ++report_.rejected;
          break;
        case Incoming::rolled_back:
          break;
        case Incoming::gone:
          return put(report_.gone, attachment_.departure().state + ": " + attachment_.departure().reason);
        case Incoming::disconnected:
          return put(report_.gone, "no arenad has come");
      }
    }
  }
  void take(const Output& output) {
    ++report_.heard;
    // Others' outputs have numbers too, so there may be gaps.
    if (output.sequence <= sequence_) {
      put(report_.complaint, "after output " + std::to_string(sequence_) + " came output " + std::to_string(output.sequence));
    }
    sequence_ = output.sequence;
    driver_.hear(output);
  }
  void report() {
    report_.epoch = attachment_.epoch().value;
    if (attachment_.bytes_not_applied() == 0) report_.applied = report_.said;
    report_.digest = driver_.digest();
    put(report_.complaint, driver_.complaint());
    if (std::memcmp(&report_, &told_, sizeof report_) == 0) return;
    if (::send(kDriverDescriptor, &report_, sizeof report_, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof report_) told_ = report_;
  }

  Attachment& attachment_;
  Driver& driver_;
  uint64_t owed_ = 0;  // events that are still to be said
  uint64_t sequence_ = 0;
  DriverReport report_;
  DriverReport told_;
};

}  // namespace

int drive(int argc, char** argv, const std::function<std::unique_ptr<Driver>(uint64_t seed)>& make) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < argc; i += 2) given[argv[i]] = argv[i + 1];
  for (const char* option : {"--socket", "--arena", "--player", "--seed"}) {
    if (given.contains(option)) continue;
    std::fprintf(stderr, "%s: %s is missing: this is a driver, which arena-chaos starts (arena-chaos run --driver)\n", argv[0],
                 option);
    return 2;
  }
  auto client = Client::connect(given["--socket"]);
  auto attachment = client ? (*client)->attach({.arena = given["--arena"], .player = given["--player"]}, kAttachTimeoutMs)
                           : Result<std::unique_ptr<Attachment>>(client.error());
  if (!attachment) {
    std::fprintf(stderr, "%s in %s: %s\n", given["--player"].c_str(), given["--arena"].c_str(),
                 attachment.error().text().c_str());
    return 1;
  }
  const std::unique_ptr<Driver> driver = make(std::strtoull(given["--seed"].c_str(), nullptr, 10));
  Drive(**attachment, *driver).run();
  return 0;
}

}  // namespace arenad
