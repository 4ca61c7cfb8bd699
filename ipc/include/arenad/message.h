// Building and reading Cap'n Proto messages where they lie: one segment, root pointer first, no segment table.
//
// Two ways, chosen by the type at compile time:
//   flat types (no pointers: numbers, enums, bools)  FlatWriter and FlatReader keep one builder and one reader over a small fixed
//                                                    buffer, so that no message object is set up for each event;
//   all others                                       build_in_place() builds in the destination, MessageView reads a private copy.
//
// What another process can still write must be copied before it is read: libcapnp 0.9.2 reads struct pointers twice. So the
// readers here are given private memory, always.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/schema.h>
#include <capnp/serialize.h>

namespace arenad {

// Tight bounds for messages from other processes: a message is traversed at most this many times its own size.
inline capnp::ReaderOptions bounded_reader_options(size_t word_count) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = word_count * 4 + 64;
  options.nestingLimit = 32;
  return options;
}

// For private bytes that have been checked: reading the same field again and again must not run into a limit.
inline capnp::ReaderOptions unbounded_reader_options() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = UINT64_MAX;
  return options;
}

template <class T>
constexpr bool is_flat = T::_capnpPrivate::pointerCount == 0;

template <class T>
constexpr size_t flat_word_count = 1 + T::_capnpPrivate::dataWordSize;

// The struct pointer of a flat root that directly follows its pointer word; one of a struct without any field points at itself
// (capnproto.org/encoding.html#structs).
template <class T>
constexpr uint64_t flat_root_word = T::_capnpPrivate::dataWordSize == 0
                                        ? 0xFFFFFFFC
                                        : static_cast<uint64_t>(T::_capnpPrivate::dataWordSize) << 32;

template <class T>
class FlatWriter {
  static_assert(is_flat<T>);

 public:
  FlatWriter() : message_(kj::arrayPtr(words_.data(), words_.size())), builder_(message_.initRoot<T>()) {}
  FlatWriter(const FlatWriter&) = delete;
  FlatWriter& operator=(const FlatWriter&) = delete;

  // A builder whose fields all have their defaults.
  typename T::Builder& fresh() {
    std::memset(static_cast<void*>(words_.data() + 1), 0, (words_.size() - 1) * sizeof(capnp::word));
    return builder_;
  }
  [[nodiscard]] const capnp::word* words() const { return words_.data(); }
  static constexpr size_t word_count = flat_word_count<T>;

 private:
  std::array<capnp::word, flat_word_count<T>> words_{};
  capnp::FlatMessageBuilder message_;
  typename T::Builder builder_;
};

template <class T>
class FlatReader {
  static_assert(is_flat<T>);

 public:
  FlatReader() = default;
  FlatReader(const FlatReader&) = delete;
  FlatReader& operator=(const FlatReader&) = delete;

  // Takes a message of exactly this layout; nothing if it has another one (an older or newer schema, or garbage), which
  // MessageView can look at. The reader is valid until the next call.
  const typename T::Reader* read(const void* words, size_t word_count) {
    if (word_count != words_.size()) return nullptr;
    uint64_t root = 0;
    std::memcpy(&root, words, sizeof root);
    if (root != flat_root_word<T>) return nullptr;
    std::memcpy(static_cast<void*>(words_.data() + 1), static_cast<const capnp::word*>(words) + 1,
                (words_.size() - 1) * sizeof(capnp::word));
    return &reader_;
  }

 private:
  kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> make_segments() {
    const uint64_t root = flat_root_word<T>;
    std::memcpy(static_cast<void*>(words_.data()), &root, sizeof root);
    segment_ = kj::arrayPtr(words_.data(), words_.size());
    return kj::arrayPtr(&segment_, 1);
  }
  std::array<capnp::word, flat_word_count<T>> words_{};
  kj::ArrayPtr<const capnp::word> segment_;
  capnp::SegmentArrayMessageReader message_{make_segments(), unbounded_reader_options()};
  typename T::Reader reader_{message_.template getRoot<T>()};
};

// One message in private memory, read with tight bounds unless told otherwise.
class MessageView {
 public:
  MessageView(const void* words, size_t word_count) : MessageView(words, word_count, bounded_reader_options(word_count)) {}
  MessageView(const void* words, size_t word_count, capnp::ReaderOptions options)
      : segment_(kj::arrayPtr(static_cast<const capnp::word*>(words), word_count)),
        message_(kj::arrayPtr(&segment_, 1), options) {}
  template <class T>
  typename T::Reader root() {
    return message_.getRoot<T>();
  }

 private:
  kj::ArrayPtr<const capnp::word> segment_;
  capnp::SegmentArrayMessageReader message_;
};

// A message builder over memory that is given to it (and must be zeroed). What does not fit goes to the heap, so that
// building never fails half-way; fits() tells afterwards.
class InPlaceBuilder final : public capnp::MessageBuilder {
 public:
  InPlaceBuilder(void* words, size_t capacity_words)
      : words_(static_cast<capnp::word*>(words)), capacity_words_(capacity_words) {}

  kj::ArrayPtr<capnp::word> allocateSegment(unsigned minimum_words) override {
    if (!used_ && minimum_words <= capacity_words_) {
      used_ = true;
      return kj::arrayPtr(words_, capacity_words_);
    }
    used_ = true;
    fits_ = false;
    const size_t count = minimum_words > 1024 ? minimum_words : 1024;
    spill_.emplace_back(kj::heapArray<capnp::word>(count));
    std::memset(static_cast<void*>(spill_.back().begin()), 0, count * sizeof(capnp::word));
    return spill_.back();
  }
  [[nodiscard]] bool fits() const { return fits_; }
  // Words used in the given memory; only if it fits.
  size_t used_words() {
    const auto segments = getSegmentsForOutput();
    return segments.size() == 0 ? 0 : segments[0].size();
  }

 private:
  capnp::word* words_;
  size_t capacity_words_;
  bool used_ = false;
  bool fits_ = true;
  std::vector<kj::Array<capnp::word>> spill_;
};

}  // namespace arenad
