// A record that is only kept, in one piece of memory: numbers in as few bytes as they need, and texts with their length. What is kept by the
// ten thousand costs what is in it, and not several strings of a fixed size each. Pure.
//
// Who packs and who unpacks name the same fields in the same order. It never leaves the process, so it is not checked.
//
//   offset 0   4 bytes   how many follow
//   then       number    7 bits in a byte, lowest first, the highest bit set if there are more
//              text      its length as a number, its bytes
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace arenad {

class Packed {
 public:
  explicit Packed(std::string_view bytes) : data_(new char[sizeof(uint32_t) + bytes.size()]) {
    const auto size = static_cast<uint32_t>(bytes.size());
    std::memcpy(data_.get(), &size, sizeof size);
    std::memcpy(data_.get() + sizeof size, bytes.data(), bytes.size());
  }
  [[nodiscard]] std::string_view bytes() const {
    uint32_t size = 0;
    std::memcpy(&size, data_.get(), sizeof size);
    return {data_.get() + sizeof size, size};
  }

 private:
  std::unique_ptr<char[]> data_;
};

class Packer {
 public:
  Packer& number(uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_ += static_cast<char>(number | 0x80);
    bytes_ += static_cast<char>(number);
    return *this;
  }
  Packer& text(std::string_view text) {
    number(text.size());
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] Packed packed() const { return Packed(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(const Packed& packed) : rest_(packed.bytes()) {}
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  uint64_t number() {
    uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      number |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return number;
    }
  }
  // Into the record.
  std::string_view text() {
    const size_t size = number();
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace arenad
