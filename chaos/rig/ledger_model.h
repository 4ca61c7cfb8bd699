// What the ledger game must say, computed anew: from its description in chaos/games/ledger.capnp, in plain C++, with no code of the
// game. It is fed with all outputs of an arena in their order and compares the state with the game's at every frame.
//
// It may begin late, or be fed again after a pause: of frames without an entry it knows what they change, so it folds those itself that
// nobody has heard.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace arenad::test {

class LedgerModel {
 public:
  struct Award {
    uint64_t seat = 0;
    uint64_t number = 0;
    uint64_t balance = 0;
    bool operator==(const Award&) const = default;
  };

  void booked(uint64_t sequence, uint64_t seat, uint64_t number, uint64_t amount) {
    take_sequence(sequence);
    if (seat >= seats_.size()) return complain("a booking for seat " + std::to_string(seat));
    Seat& s = seats_[seat];
    if (number != s.last + 1) {
      complain("seat " + std::to_string(seat) + ": after entry " + std::to_string(s.last) + " came " + std::to_string(number));
    }
    s.last = number;
    pending_.push_back({seat, number, amount});
  }

  void closed(uint64_t sequence, uint64_t frame, uint64_t digest, uint64_t count) {
    take_sequence(sequence);
    if (!std::exchange(may_skip_, false) && frame != frame_ + 1) {
      complain("after frame " + std::to_string(frame_) + " came frame " + std::to_string(frame));
    }
    // Each frame before this one, seen or not, has given one output of its own.
    const uint64_t expected_sequence = frame + count_ + pending_.size();
    if (sequence != expected_sequence) {
      complain("frame " + std::to_string(frame) + " closed with output " + std::to_string(sequence) + " instead of " +
               std::to_string(expected_sequence));
    }
    for (uint64_t unseen = frame_ + 1; unseen < frame; ++unseen) fold(unseen);
    for (const Entry& entry : pending_) book(entry);
    pending_.clear();
    fold(frame);
    frame_ = frame;
    ++frames_compared_;
    if (digest != digest_ || count != count_) {
      complain("frame " + std::to_string(frame) + ": digest " + std::to_string(digest) + " and " + std::to_string(count) +
               " entries instead of " + std::to_string(digest_) + " and " + std::to_string(count_));
      digest_ = digest;
      count_ = count;
    }
  }

  // From here on frames without an entry may be missing, once: nobody listened.
  void resume() { may_skip_ = true; }

  // The last number of a seat whose frame is closed.
  [[nodiscard]] uint64_t last(uint64_t seat) const { return seats_[seat].closed; }
  [[nodiscard]] uint64_t frame() const { return frame_; }
  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] uint64_t sequence() const { return sequence_; }
  [[nodiscard]] uint64_t frames_compared() const { return frames_compared_; }
  // In their order: result k has sequence k + 1.
  [[nodiscard]] const std::vector<Award>& awards() const { return awards_; }
  // The first thing that was wrong; empty: nothing.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  struct Entry {
    uint64_t seat, number, amount;
  };
  struct Seat {
    uint64_t balance = 0;
    uint64_t last = 0;    // number heard
    uint64_t closed = 0;  // number booked
  };

  void take_sequence(uint64_t sequence) {
    if (!may_skip_ && sequence != sequence_ + 1) {
      complain("after output " + std::to_string(sequence_) + " came output " + std::to_string(sequence));
    }
    sequence_ = sequence;
  }

  void book(const Entry& entry) {
    Seat& seat = seats_[entry.seat];
    seat.balance += entry.amount;
    seat.closed = entry.number;
    ++count_;
    for (const uint64_t part : {entry.seat, entry.number, seat.balance}) fold(part);
    if (entry.number % 4 == 0) awards_.push_back({entry.seat, entry.number, seat.balance});
  }

  void fold(uint64_t value) {
    uint64_t product = (digest_ ^ value) * 11400714819323198485u;
    product ^= product >> 32;
    digest_ = product * 15485907386658061715u + 1;
  }

  void complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
  }

  std::array<Seat, 8> seats_{};
  std::vector<Entry> pending_;  // of the frame that is not closed yet
  std::vector<Award> awards_;
  uint64_t digest_ = 0;
  uint64_t count_ = 0;
  uint64_t frame_ = 0;
  uint64_t sequence_ = 0;
  uint64_t frames_compared_ = 0;
  bool may_skip_ = true;
  std::string complaint_;
};

}  // namespace arenad::test
