// The control socket: accepts, takes requests in, sends replies and notices out. What a request means is commands.cc's affair.
//
// A peer that breaks the framing or the protocol, or does not take what is sent to it, is cut off; nobody else notices. Nobody is served
// for longer than a slice of the loop's time: who has more to ask waits for another turn, and users take turns with each other, so that
// one who floods the socket waits for himself.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "ipc/control.capnp.h"
#include "ipc/control_stream.h"
#include "supervisor/acceptor.h"
#include "supervisor/arena.h"
#include "supervisor/rarely.h"

namespace arenad {

// A request that has not been answered yet: who asked, and under which number.
struct RequestId {
  uint64_t connection = 0;
  uint64_t request = 0;
};

class ControlServer final : public ClientNotices {
 public:
  struct Handlers {
    // May throw kj::Exception on a message that lies about itself: then the connection is cut off.
    std::function<void(RequestId, wire::Request::Reader, std::vector<Fd>)> request;
    std::function<void(uint64_t connection)> closed;
    // Each reply, also one that nobody waits for any more.
    std::function<void(RequestId, wire::Reply::Reader)> answered;
  };

  ControlServer(uv_loop_t* loop, FactQueue& facts);
  // Makes the socket.
  Result<void> listen(const std::string& path, Handlers handlers);
  // Takes no request any more, and lets no one in, until it is told otherwise: who asks waits.
  void hold(bool held);
  // Of the arenad that this one has taken the place of: the connections are there from now on, and are heard after listen_on().
  void take_on(wire::ControlState::Reader from, HandedOn& handed);
  void listen_on(Fd listener, const std::string& path, Handlers handlers);
  void hand_on(wire::ControlState::Builder to, FdsToKeep& fds) const;
  // Stops accepting, removes the socket, cuts everyone off after what is queued has been offered to them.
  void close();

  void reply(RequestId to, const std::function<void(wire::Reply::Builder)>& fill, std::span<const int> fds = {});
  void fail(RequestId to, const Error& error);

  void incarnation(uint64_t connection, uint32_t attachment, Epoch epoch, const Fd& region) override;
  void gone(uint64_t connection, uint32_t attachment, const std::string& state, const std::string& reason) override;

  void board(uint64_t connection, uint32_t attachment, const Fd& board) override;

  // Cuts off who has begun a request and does not end it. To be called each Arena::kWatchIntervalMs.
  void watch_unfinished();
  [[nodiscard]] size_t connections() const { return connections_.size(); }
  // Requests that have not been answered.
  [[nodiscard]] size_t unanswered() const;
  [[nodiscard]] bool is_connected(uint64_t connection) const { return connections_.contains(connection); }
  // Who is at the other end, as the kernel saw it when the connection was made; nobody if it is gone.
  [[nodiscard]] Peer caller(uint64_t connection) const;
  // A request to the arenad before this one, which this one is to answer.
  void was_asked(RequestId from);

 private:
  struct Connection {
    explicit Connection(Fd socket) : stream(std::move(socket), limits::kMaxControlMessageBytes) {}
    ControlStream stream;
    Peer peer;
    UvPoll poll;
    size_t unanswered = 0;
    bool waits = false;     // in waiting_
    bool is_heard = false;  // watched for what it says
    bool ended = false;     // nothing more will come
  };

  void accepted(Fd socket);
  void add(uint64_t id, std::unique_ptr<Connection> connection);
  void watch(Connection& connection) const;
  // Has something to say: is served when it is its turn.
  void wait(uint64_t id);
  void call_turn();
  void take_turns();
  // Takes one request.
  void serve(uint64_t id);
  void write(uint64_t id);
  void send(uint64_t id, capnp::MessageBuilder& message, std::span<const int> fds);
  void cut_off(uint64_t id, const char* why);
  void drop(uint64_t id);

  uv_loop_t* loop_;
  FactQueue& facts_;
  Handlers handlers_;
  Acceptor acceptor_;
  bool held_ = false;
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::map<uid_t, size_t> connections_of_;
  // Connections that wait, by user; and who was served last.
  std::map<uid_t, std::deque<uint64_t>> waiting_;
  uid_t served_ = 0;
  bool turn_is_due_ = false;
  UvTimer next_turn_;
  std::map<uint64_t, uint64_t> unfinished_;  // connections within a request, and how often watch_unfinished() has seen them so
  Rarely cut_off_, turned_away_;
};

}  // namespace arenad
