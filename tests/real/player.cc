#include "tests/real/player.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/support/why_not.h"

namespace arenad::test {

Player::Player(const std::string& socket, AttachOptions options) {
  auto client = Client::connect(socket);
  REQUIRE_MESSAGE(client.ok(), why_not(client));
  client_ = std::move(*client);
  auto attached = client_->attach(options);
  REQUIRE_MESSAGE(attached.ok(), why_not(attached));
  attachment_ = std::move(*attached);
}

Player::Player(const std::string& socket, const std::string& arena, const std::string& name)
    : Player(socket, AttachOptions{.arena = arena, .player = name}) {}

Sent Player::try_say() {
  const Sent sent = attachment_->send<echo::Say>([&](echo::Say::Builder say) { say.setNumber(said_ + 1); });
  if (sent == Sent::ok) ++said_;
  return sent;
}

void Player::say() {
  Sent sent = Sent::full;
  const bool taken = listens_until([&] {
    if (sent == Sent::full) sent = try_say();
    return sent != Sent::full;
  });
  REQUIRE(taken);
  REQUIRE(sent == Sent::ok);
}

void Player::listen() {
  for (;;) {
    switch (attachment_->receive()) {
      case Incoming::none:
        return;
      case Incoming::output:
        take_output(attachment_->output());
        break;
      case Incoming::lagged:
        ++times_lagged_;
        lag_bytes_ += attachment_->lag();
        break;
      case Incoming::rejected:
        rejections_.push_back(attachment_->rejection());
        break;
      case Incoming::rolled_back:
        ++times_rolled_back_;
        break;
      case Incoming::gone:
        if (departures_.empty()) departures_.push_back(attachment_->departure());
        return;
      case Incoming::disconnected:
        disconnected_ = true;
        return;
    }
  }
}

void Player::take_output(const Output& output) {
  MessageView view(output.words, output.word_count);
  if (output.type == capnp::typeId<echo::Echo>()) {
    const auto heard = view.root<echo::Echo>();
    if (heard.getSeat() != attachment_->seat()) return;  // an observer hears everyone
    if (heard.getNumber() != heard_ + 1 && complaint_.empty()) {
      complaint_ = "after " + std::to_string(heard_) + " came " + std::to_string(heard.getNumber());
    }
    heard_ = heard.getNumber();
  } else if (output.type == capnp::typeId<echo::Report>()) {
    const auto report = view.root<echo::Report>();
    if (report.getNumber() != asked_) return;
    answered_ = report.getNumber();
    const auto state = report.getState();
    state_ = {state.getApplied(), state.getJoins(), state.getLeft(), state.getDropped(), state.getExpelled(), {}};
    for (const uint64_t last : state.getLast()) state_.last.push_back(last);
  } else if (output.type == capnp::typeId<echo::Departed>()) {
    const auto departed = view.root<echo::Departed>();
    departed_.push_back({departed.getSeat(), departed.getReason()});
  } else if (output.type == capnp::typeId<echo::Piece>()) {
    ++pieces_;
  }
}

bool Player::listens_until(const std::function<bool()>& holds, uint64_t patience_ms) {
  const uint64_t deadline_ns = monotonic_ns() + patience_ms * kMillisecond;
  for (;;) {
    listen();
    if (holds()) return true;
    if (monotonic_ns() >= deadline_ns) return false;
    attachment_->wait(10);
  }
}

bool Player::hears_all(uint64_t patience_ms) {
  return listens_until([&] { return heard_ >= said_; }, patience_ms);
}

Player::State Player::ask() {
  ++asked_;
  const Sent sent = attachment_->send<echo::Ask>([&](echo::Ask::Builder to) { to.setNumber(asked_); });
  REQUIRE(sent == Sent::ok);
  REQUIRE(listens_until([&] { return answered_ == asked_; }));
  return state_;
}

}  // namespace arenad::test
