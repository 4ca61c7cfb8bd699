#include "chaos/rig/ledger_player.h"

#include <fcntl.h>

#include "chaos/games/ledger.capnp.h"
#include "ipc/incarnation.h"

namespace arenad::test {
namespace {

constexpr uint64_t kAttachTimeoutMs = 10'000;

}  // namespace

uint64_t ledger_amount(uint64_t number, uint64_t seat) {
  return number * 0x2545F4914F6CDD1Dull + seat;
}

Result<void> LedgerPlayer::attach(ArenaId arena) {
  auto client = Client::connect(socket_);
  if (!client) return client.error();
  auto attached = (*client)->attach({.arena = arena.text(), .player = name_}, kAttachTimeoutMs);
  if (!attached) return attached.error();
  client_ = std::move(*client);
  attachment_ = std::move(*attached);
  if (said_ != 0 && attachment_->seat() != seat_) complaint_ = name_ + " has got another seat";
  seat_ = attachment_->seat();
  gone_.clear();
  attachment_->on_incarnation([this](int region_fd, Epoch) {
    if (auto view = IncarnationView::map(Fd(::fcntl(region_fd, F_DUPFD_CLOEXEC, 0)))) worker_ = static_cast<pid_t>(view->pid());
  });
  return {};
}

void LedgerPlayer::leave() {
  epoch_before_ = epoch();
  attachment_.reset();
  client_.reset();
  model_.resume();
}

// Whoever has lost the place has heard all there was.
Result<void> LedgerPlayer::come_back(ArenaId arena) {
  said_ = heard_back();
  leave();
  return attach(arena);
}

bool LedgerPlayer::say() {
  if (!attachment_) return false;
  const uint64_t number = said_ + 1;
  const Sent sent = attachment_->send<ledger::Entry>([&](ledger::Entry::Builder entry) {
    entry.setNumber(number);
    entry.setAmount(ledger_amount(number, seat_));
  });
  if (sent == Sent::ok) ++said_;
  return sent == Sent::ok;
}

void LedgerPlayer::listen() {
  if (!attachment_ || !gone_.empty()) return;
  for (;;) {
    switch (attachment_->receive()) {
      case Incoming::none:
        return;
      case Incoming::output:
        take(attachment_->output());
        break;
      case Incoming::lagged:
        complaint_ = name_ + " was told that " + std::to_string(attachment_->lag()) + " bytes of outputs are lost";
        break;
      case Incoming::rejected:
        ++rejected_;
        complaint_ = "entry " + std::to_string(attachment_->rejection().sequence) + " of " + name_ + " was rejected";
        break;
      case Incoming::rolled_back:
        ++times_rolled_back_;
        break;
      case Incoming::gone:
        gone_ = attachment_->departure().state + ": " + attachment_->departure().reason;
        return;
      case Incoming::disconnected:
        gone_ = "no arenad has come";
        return;
    }
  }
}

uint64_t LedgerPlayer::digest() const {
  uint64_t digest = heard_back();
  for (const LedgerModel::Award& award : model_.awards()) {
    if (award.seat == seat_) digest = (digest ^ award.balance) * 0x100000001B3ull;
  }
  return digest;
}

void LedgerPlayer::take(const Output& output) {
  heard_.push_back({output.sequence, output.type,
                    std::string(static_cast<const char*>(output.words), output.word_count * sizeof(uint64_t))});
  MessageView view(output.words, output.word_count);
  if (output.type == capnp::typeId<ledger::Booked>()) {
    const auto booked = view.root<ledger::Booked>();
    if (booked.getAmount() != ledger_amount(booked.getNumber(), booked.getSeat()))
      complaint_ = "an entry came back with another amount";
    model_.booked(output.sequence, booked.getSeat(), booked.getNumber(), booked.getAmount());
  } else if (output.type == capnp::typeId<ledger::Closed>()) {
    const auto closed = view.root<ledger::Closed>();
    model_.closed(output.sequence, closed.getFrame(), closed.getDigest(), closed.getCount());
  } else {
    complaint_ = "an output of a type that the game does not have";
  }
}

}  // namespace arenad::test
