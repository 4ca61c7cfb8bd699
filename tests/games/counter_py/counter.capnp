# A game of a few lines in Python, of which there are several versions (CMakeLists.txt).
@0xf3a9d1c6b2e84570;

struct State {
  count @0 :UInt32;     # ticks
  doubled @1 :UInt32;   # of version 2 alone: made of count when it takes over
}
