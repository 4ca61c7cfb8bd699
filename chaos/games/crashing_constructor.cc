// A module that crashes while it is loaded.
#include <csignal>
#include <cstdio>

#include "arenad/module_abi.h"

namespace {

const int kCrash = (std::puts("this module crashes"), ::raise(SIGSEGV));

}  // namespace

extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t) {
  return kCrash == 0 ? nullptr : nullptr;
}
