// A shared object that is no game module: it lacks the entry symbol.
extern "C" __attribute__((visibility("default"))) int not_a_game() {
  return 0;
}
