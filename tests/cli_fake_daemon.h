// An arenad that is not there, for the tests of arenactl: a thread that listens on a socket of its own and answers what the test says.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <capnp/message.h>
#include <doctest/doctest.h>
#include <kj/string-tree.h>

#include "ipc/control_client.h"
#include "ipc/control_stream.h"
#include "ipc/limits.h"
#include "ipc/socket.h"

namespace arenad::cli_test {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "arenactl-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

struct Answering {
  wire::Request::Reader request;
  wire::FromDaemon::Builder message;
  wire::Reply::Builder reply;
  std::vector<Fd>& fds;
  std::vector<Fd>& received;  // that came with the request
  bool& hangs_up;             // closes the connection instead of a reply
};
using Answer = std::function<void(Answering)>;

enum class Conduct { answers, closes, stays_silent, sends_notice_first };

// Serves whoever comes until it is destroyed.
class FakeDaemon {
 public:
  explicit FakeDaemon(Answer answer, Conduct conduct = Conduct::answers) : answer_(std::move(answer)), conduct_(conduct) {
    start();
  }
  // Sends these bytes as its reply, whatever they are.
  explicit FakeDaemon(std::string raw_reply) : raw_reply_(std::move(raw_reply)) { start(); }
  ~FakeDaemon() {
    const uint64_t one = 1;
    CHECK(::write(stop_.get(), &one, sizeof one) == sizeof one);
    thread_.join();
  }
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  [[nodiscard]] std::string socket_path() const { return folder_.file("arenad.sock"); }
  // What was asked, each request as Cap'n Proto text.
  [[nodiscard]] Texts requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void start() {
    auto listener = listen_unix(socket_path());
    REQUIRE(listener);
    listener_ = std::move(*listener);
    stop_ = Fd(::eventfd(0, EFD_CLOEXEC));
    thread_ = std::thread([this] { serve_all(); });
  }

  void serve_all() {
    std::vector<std::unique_ptr<ControlStream>> open;
    while (true) {
      std::vector<pollfd> waiting{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      for (const auto& stream : open) waiting.push_back({stream->fd().get(), POLLIN, 0});
      while (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
      if (waiting[0].revents != 0) return;
      for (size_t i = open.size(); i-- > 0;) {
        if (waiting[2 + i].revents != 0 && !serve(*open[i])) open.erase(open.begin() + static_cast<ptrdiff_t>(i));
      }
      if (waiting[1].revents == 0) continue;
      auto socket = accept_unix(listener_);
      if (socket && *socket)
        open.push_back(std::make_unique<ControlStream>(std::move(*socket), limits::kMaxControlMessageBytes));
    }
  }

  // What has come. False to close the connection.
  bool serve(ControlStream& stream) {
    const auto received = stream.receive();
    while (auto message = stream.next()) {
      const auto request = message->root<wire::Request>();
      std::vector<Fd> with_it;
      for (unsigned i = 0; i < request.getFds(); ++i) with_it.push_back(stream.take_fd());
      if (!handle(stream, request, with_it)) return false;
    }
    return received == ControlStream::Io::ok;
  }

  // "stop = (...))" becomes "stop = (...)".
  static std::string without_envelope(const std::string& request) {
    constexpr std::string_view kEnvelope = "(id = 1, fds = 0, ";
    if (!request.starts_with(kEnvelope)) return request;
    return request.substr(kEnvelope.size(), request.size() - kEnvelope.size() - 1);
  }

  // False to close the connection.
  bool handle(ControlStream& stream, wire::Request::Reader request, std::vector<Fd>& received) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(without_envelope(request.toString().flatten().cStr()));
    }
    if (conduct_ == Conduct::closes) return false;
    if (conduct_ == Conduct::stays_silent) return true;
    if (!raw_reply_.empty()) return ::write(stream.fd().get(), raw_reply_.data(), raw_reply_.size()) > 0;
    if (conduct_ == Conduct::sends_notice_first) send_notice(stream);
    return reply(stream, request, received);
  }

  static void send_notice(ControlStream& stream) {
    capnp::MallocMessageBuilder message;
    message.initRoot<wire::FromDaemon>().initNotice().initGone().setState("ended");
    flush(stream, message, {});
  }

  bool reply(ControlStream& stream, wire::Request::Reader request, std::vector<Fd>& received) const {
    capnp::MallocMessageBuilder message;
    auto root = message.initRoot<wire::FromDaemon>();
    auto reply = root.initReply();
    reply.setId(request.getId());
    std::vector<Fd> fds;
    bool hangs_up = false;
    answer_({request, root, reply, fds, received, hangs_up});
    if (hangs_up) return false;
    root.setFds(static_cast<uint16_t>(fds.size()));
    std::vector<int> numbers;
    numbers.reserve(fds.size());
    for (const Fd& fd : fds) numbers.push_back(fd.get());
    flush(stream, message, numbers);
    return true;
  }

  static void flush(ControlStream& stream, capnp::MessageBuilder& message, std::span<const int> fds) {
    if (!stream.queue(message, fds)) return;
    while (stream.flush() == ControlStream::Io::ok && stream.unsent_bytes() != 0) {
      pollfd writable{stream.fd().get(), POLLOUT, 0};
      ::poll(&writable, 1, -1);
    }
  }

  TemporaryFolder folder_;
  Answer answer_;
  Conduct conduct_ = Conduct::answers;
  std::string raw_reply_;
  Fd listener_;
  Fd stop_;
  std::mutex mutex_;
  Texts requests_;
  std::thread thread_;
};

inline Answer error_answer(wire::FailureCode code, const char* message) {
  return [code, message](Answering answering) {
    auto error = answering.reply.initError();
    error.setCode(code);
    error.setMessage(message);
  };
}

}  // namespace arenad::cli_test
