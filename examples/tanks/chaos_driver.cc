// The tanks under arena-chaos: a bot that gives an order whenever it is told to, and looks at what it hears.
//
//   arena-chaos run --game tanks.so --driver tanks-driver
#include "arenad/driver.h"
#include "arenad/message.h"
#include "bot_brain.h"
#include "wire.h"

namespace {

class TanksDriver : public arenad::Driver {
 public:
  explicit TanksDriver(uint64_t seed) : brain_(seed) {}

  arenad::Sent say(arenad::Attachment& attachment) override {
    const auto order = brain_.decide();
    return attachment.send<tanks::Order>([&](tanks::Order::Builder message) { tanks::fill(message, order); });
  }

  void hear(const arenad::Output& output) override {
    arenad::MessageView message(output.words, output.word_count, arenad::unbounded_reader_options());
    try {
      brain_.hear(output.type, message.root<capnp::AnyPointer>());
    } catch (const std::exception& error) {
      complaint_ = std::string("an output that is none: ") + error.what();
    }
  }

  [[nodiscard]] std::string complaint() const override { return complaint_; }

 private:
  tanks::BotBrain brain_;
  std::string complaint_;
};

}  // namespace

int main(int argc, char** argv) {
  return arenad::drive(argc, argv, [](uint64_t seed) { return std::make_unique<TanksDriver>(seed); });
}
